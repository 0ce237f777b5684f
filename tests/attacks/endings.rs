//! What ends while something is issued (ids RC-3 to RC-6): afterwards nothing of it is alive.

use grantor::Approval;
use grantor::store::Kind;
use http::StatusCode;

use crate::faulty::*;
use crate::harness::*;
use crate::race::*;

/// Something that is issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Issue {
    Approve,
    Redeem,
    Refresh,
    Machine,
}

/// Something that ends what was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    RevokeRefreshToken,
    RevokeGrant,
    RemoveApp,
    RevokeSubject,
    DeactivateSubject,
    DeactivateClient,
    DeleteClient,
}

impl Ending {
    /// `refresh` is the refresh token of the grant, where there is one.
    async fn act(self, race: &Race, refresh: Option<&str>) {
        let (server, alice, web) = (&race.nodes[1], "alice".into(), "web".into());
        match self {
            Self::RevokeRefreshToken => {
                let answer = ask(server, post_as(WEB, "/revoke", &[("token", refresh.unwrap())])).await;
                assert_eq!(answer.status, StatusCode::OK);
            }
            Self::RevokeGrant => {
                let grants = server.grants().of(&alice, None, 10).await.unwrap().items;
                for grant in grants {
                    server.grants().revoke(&grant.id).await.unwrap();
                }
            }
            Self::RemoveApp => server.grants().remove_app(&alice, &web).await.unwrap(),
            Self::RevokeSubject => server.subjects().revoke_all(&alice).await.unwrap(),
            Self::DeactivateSubject => server.subjects().deactivate(&alice).await.unwrap(),
            Self::DeactivateClient => assert!(server.clients().deactivate(&web).await.is_ok()),
            Self::DeleteClient => server.clients().delete(&web).await.unwrap(),
        }
    }

    /// What can be taken back is taken back.
    async fn undo(self, race: &Race) {
        let server = &race.nodes[0];
        match self {
            Self::DeactivateSubject => server.subjects().activate(&"alice".into()).await.unwrap(),
            Self::DeactivateClient => assert!(server.clients().activate(&"web".into()).await.is_ok()),
            _ => {}
        }
    }
}

/// Runs `ending` while `issue` stands at a place: before or after its first load or its first commit. Nothing may be
/// alive afterwards. Returns the status of the issue, and the race.
async fn end_during(issue: Issue, ending: Ending, place: (Moment, bool)) -> (StatusCode, Race) {
    let what = format!("{issue:?} {ending:?} {place:?}");
    let race = Race::new().await;
    let mut tokens = Vec::new();
    let mut refresh = None;
    let stop = || at(&race.store, place);
    // Something of an earlier sign-in exists in any case.
    let (earlier, _) = race.world.tokens(WEB).await;
    tokens.push(earlier);
    let (gate, task) = match issue {
        Issue::Approve => {
            let pending = race.world.authorize(&race.world.valid_request(WEB)).await.pending();
            let (server, now) = (race.nodes[0].clone(), race.world.now());
            let gate = stop();
            let task = tokio::spawn(async move {
                match server.approve(*pending, Approval::new("alice".into(), now)).await {
                    Ok(response) => Answer::of(response),
                    Err(_) => Answer { status: StatusCode::BAD_REQUEST, headers: <_>::default(), body: String::new() },
                }
            });
            (gate, task)
        }
        Issue::Redeem => {
            let code = race.world.valid_code(WEB).await;
            (stop(), race.start(0, redemption(WEB, &code)))
        }
        Issue::Refresh => {
            let (access, token) = race.world.tokens(WEB).await;
            tokens.push(access);
            let request = refreshing(WEB, &token);
            refresh = Some(token);
            (stop(), race.start(0, request))
        }
        Issue::Machine => {
            (stop(), race.start(0, post_as(WEB, "/token", &[("grant_type", "client_credentials"), ("scope", "read")])))
        }
    };
    let held = gate.reached().await;
    ending.act(&race, refresh.as_deref()).await;
    held.release();
    let answer = task.await.unwrap();
    assert!(answer.status.as_u16() < 500, "{what}: {}", answer.status);
    if let Some(json) = answer.json()
        && let Some(token) = json["access_token"].as_str()
    {
        tokens.push(token.to_owned());
    }
    let code = answer.redirect().and_then(|redirect| redirect.parameters.get("code").cloned());
    let subject_only = issue == Issue::Machine && !matches!(ending, Ending::DeactivateClient | Ending::DeleteClient);
    assert!(!subject_only, "{what}: a client's own token has nothing to do with that");
    if ending != Ending::RevokeRefreshToken && ending != Ending::RevokeGrant {
        race.assert_all_dead(&tokens, &what).await;
        ending.undo(&race).await;
        race.assert_all_dead(&tokens, &what).await;
        if let Some(code) = code {
            assert!(ask(&race.nodes[1], redemption(WEB, &code)).await.status.is_client_error(), "{what}");
        }
    } else {
        // Only this family ends. What was issued last is of it.
        assert!(!race.world.is_live(tokens.last().unwrap()).await, "{what}");
        let living = race.living(Kind::REFRESH_TOKEN);
        assert_eq!(living, usize::from(ending == Ending::RevokeRefreshToken), "{what}");
    }
    assert_no_orphans(&race.world);
    (answer.status, race)
}

#[tokio::test]
async fn rc_3_nothing_is_issued_into_a_family_that_is_being_revoked() {
    let cases = [
        (Issue::Refresh, Ending::RevokeRefreshToken),
        (Issue::Refresh, Ending::RevokeGrant),
        (Issue::Refresh, Ending::RemoveApp),
        (Issue::Redeem, Ending::RemoveApp),
    ];
    for (issue, ending) in cases {
        for place in PLACES {
            let (status, _) = end_during(issue, ending, place).await;
            // What was committed before the revocation is answered, and dead; what was not is refused.
            let committed = place == (Moment::After, true);
            let expected = if committed { StatusCode::OK } else { StatusCode::BAD_REQUEST };
            assert_eq!(status, expected, "{issue:?} {ending:?} {place:?}");
        }
    }
}

#[tokio::test]
async fn rc_3_nothing_is_issued_for_consent_that_is_being_withdrawn() {
    for place in PLACES {
        let race = Race::new().await;
        race.world.tokens(WEB).await;
        let pending = race.world.authorize(&race.world.valid_request(WEB)).await.pending();
        let (server, now) = (race.nodes[0].clone(), race.world.now());
        let gate = at(&race.store, place);
        let task = tokio::spawn(async move { server.approve(*pending, Approval::new("alice".into(), now)).await });
        let held = gate.reached().await;
        race.nodes[1].grants().remove_app(&"alice".into(), &"web".into()).await.unwrap();
        held.release();
        let code = Answer::of(task.await.unwrap().unwrap()).redirect().unwrap().parameters["code"].clone();
        // An approval that was committed first went with the rest; one that came after is a new beginning, and whole.
        let committed = place == (Moment::After, true);
        let answer = ask(&race.nodes[1], redemption(WEB, &code)).await;
        assert_eq!(answer.status.is_success(), !committed, "{place:?}: {}", answer.body);
        assert_eq!(race.living(Kind::GRANT), usize::from(!committed), "{place:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rc_4_introspection_after_a_revocation_sees_it() {
    for ending in [
        Ending::RevokeRefreshToken,
        Ending::RevokeGrant,
        Ending::RemoveApp,
        Ending::RevokeSubject,
        Ending::DeactivateSubject,
        Ending::DeactivateClient,
        Ending::DeleteClient,
    ] {
        let race = Race::new().await;
        let (access, refresh) = race.world.tokens(WEB).await;
        // Both nodes have seen it alive, so that whatever they might remember, they do.
        for node in &race.nodes {
            for _ in 0..3 {
                let answer = ask(node, post_as(API, "/introspect", &[("token", &access)])).await;
                assert_eq!(answer.json().unwrap()["active"], true);
                assert!(node.verify(&access, grantor::Require::any()).await.is_ok());
            }
        }
        // One look begins before the revocation and ends after it: it may say either, and must not be what others are
        // told.
        let gate = race.store.stop(Moment::After, loads(Kind::ACCESS_TOKEN));
        let early = race.start(0, post_as(API, "/introspect", &[("token", &access)]));
        let held = gate.reached().await;
        ending.act(&race, Some(&refresh)).await;
        let looks = race.crowd(16, |_| post_as(API, "/introspect", &[("token", &access)])).await;
        held.release();
        early.await.unwrap();
        let later = race.crowd(16, |_| post_as(API, "/introspect", &[("token", &access)])).await;
        for look in looks.iter().chain(&later) {
            assert_eq!(look.body, r#"{"active":false}"#, "{ending:?}");
        }
        race.assert_all_dead(&[access], &format!("{ending:?}")).await;
    }
    // One access token alone.
    let race = Race::new().await;
    let (access, _) = race.world.tokens(WEB).await;
    let gate = race.store.stop(Moment::After, writes(Kind::ACCESS_TOKEN));
    let revocation = race.start(0, post_as(WEB, "/revoke", &[("token", &access)]));
    let held = gate.reached().await;
    // Committed, and not yet answered.
    let answer = ask(&race.nodes[1], post_as(API, "/introspect", &[("token", &access)])).await;
    assert_eq!(answer.body, r#"{"active":false}"#);
    held.release();
    assert_eq!(revocation.await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn rc_5_nothing_issued_during_a_deactivation_is_live_after_it() {
    for ending in [Ending::DeactivateSubject, Ending::RevokeSubject, Ending::DeactivateClient] {
        for issue in [Issue::Approve, Issue::Redeem, Issue::Refresh, Issue::Machine] {
            if issue == Issue::Machine && ending != Ending::DeactivateClient {
                continue;
            }
            // To begin anew is what `revoke_all` allows: an approval that starts to read after it is new.
            let anew = issue == Issue::Approve && ending == Ending::RevokeSubject;
            for place in PLACES.into_iter().filter(|place| !anew || *place != (Moment::Before, false)) {
                end_during(issue, ending, place).await;
            }
        }
    }
}

#[tokio::test]
async fn rc_6_a_client_deleted_during_a_refresh_leaves_nothing_dangling() {
    for issue in [Issue::Approve, Issue::Redeem, Issue::Refresh, Issue::Machine] {
        for place in PLACES {
            let (_, race) = end_during(issue, Ending::DeleteClient, place).await;
            // The client's tombstone outlives all that names it: at no time is there a token, a code or a grant without
            // its client.
            loop {
                let records = race.world.dump();
                let client = records.iter().any(|record| {
                    record.key.kind == Kind::CLIENT
                        && record.labels.as_ref().is_some_and(|labels| labels.public_id == "web")
                });
                let issued = [Kind::CODE, Kind::GRANT, Kind::ACCESS_TOKEN, Kind::REFRESH_TOKEN]
                    .iter()
                    .map(|kind| of_kind(&records, *kind).len())
                    .sum::<usize>();
                assert!(client || issued == 0, "{issue:?} {place:?}: {issued} records without their client");
                if !client {
                    break;
                }
                race.world.advance(6 * 3600);
                while race.nodes[0].purge(1000).await.unwrap().more {}
            }
        }
    }
}
