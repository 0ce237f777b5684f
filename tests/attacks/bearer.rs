//! Bearer tokens at a protected resource of the host (RFC 6750).

use grantor::Require;
use grantor::event::Refusal;
use grantor::refusal::{Dead, VerifyError};
use http::{Request, StatusCode};

use crate::harness::*;
use crate::introspection::{bearer, tokens_at};

#[tokio::test]
async fn rfc6750_2_1_a_bearer_header_is_checked_against_the_store() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(WEB).await;
    let code = world.valid_code(WEB).await;
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        for spaces in [" ", "  ", "    "] {
            let request = bearer(&format!("{scheme}{spaces}{access}"));
            let verified = world.server.check(&request, Require::scope("read write")).await.unwrap();
            assert_eq!(verified.subject(), Some("alice"));
            assert!(verified.has_scope("read") && verified.has_scope("write"));
            assert!(!verified.has_scope("admin") && !verified.has_scope("") && !verified.has_scope("read write"));
        }
    }
    for header in [
        format!("Bearer {refresh}"),
        format!("Bearer {code}"),
        format!("Bearer {}", WEB.secret.unwrap()),
        format!("Bearer {}", &access[..54]),
        format!("Bearer {access}="),
        format!("Bearer {access} "),
        format!("Bearer {access},"),
        format!("Bearer {access}, Bearer {access}"),
        format!("Bearer \"{access}\""),
        format!("Bearer token={access}"),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer =".to_owned(),
    ] {
        let refused = world.server.check(&bearer(&header), Require::any()).await.unwrap_err();
        assert_eq!(refused.error(), VerifyError::Dead(Dead::Unknown), "{header:.60}");
    }
    for header in [format!("Basic {access}"), format!("DPoP {access}"), format!("Token {access}"), access.clone()] {
        let refused = world.server.check(&bearer(&header), Require::any()).await.unwrap_err();
        assert_eq!(refused.error(), VerifyError::Missing, "{header:.60}");
    }
    // Twice is once too often, whatever is in the two.
    for second in [format!("Bearer {access}"), "Bearer x".to_owned(), basic("web", "x"), String::new()] {
        let mut request = bearer(&format!("Bearer {access}"));
        request.headers_mut().append("authorization", second.parse().unwrap());
        let refused = world.server.check(&request, Require::any()).await.unwrap_err();
        assert_eq!(refused.error(), VerifyError::Misplaced);
    }
    // Nothing was used up.
    assert!(world.is_live(&access).await);
    world.redeem(WEB, &code).await.tokens();
}

#[tokio::test]
async fn rfc6750_2_3_a_token_in_the_query_is_not_read() {
    let world = World::new().await;
    let (access, _) = world.tokens(WEB).await;
    let query = |query: &str, header: Option<&str>| {
        let mut request = Request::get(format!("https://api.example.com/things?{query}")).body(()).unwrap();
        if let Some(header) = header {
            request.headers_mut().insert("authorization", header.parse().unwrap());
        }
        request
    };
    let good = format!("Bearer {access}");
    for text in [format!("access_token={access}"), format!("a=b&access_token={access}"), "access_token".into()] {
        // Alone it opens nothing; beside the header it closes.
        for header in [None, Some(&*good)] {
            let refused = world.server.check(&query(&text, header), Require::any()).await.unwrap_err();
            assert_eq!(refused.error(), VerifyError::Misplaced, "{text:.40}");
        }
    }
    // However the name is written, the value is never read.
    for text in [format!("access%5Ftoken={access}"), format!("ACCESS_TOKEN={access}"), format!("token={access}")] {
        assert!(world.server.check(&query(&text, None), Require::any()).await.is_err());
    }
    world.server.check(&query("access_tokens=1&x=access_token", Some(&good)), Require::any()).await.unwrap();
    // Nor is a form in the body (RFC 6750 §2.2).
    let form = Request::post("https://api.example.com/things")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("access_token={access}"))
        .unwrap();
    assert_eq!(world.server.check(&form, Require::any()).await.unwrap_err().error(), VerifyError::Missing);
}

#[tokio::test]
async fn rfc6750_3_1_each_failure_has_its_challenge() {
    let world = World::new().await;
    let (access, refresh) = world.tokens(WEB).await;
    let (at_one, _) = tokens_at(&world, WEB, &[RESOURCE]).await;
    let revoked = world.machine_token(WEB).await;
    world.post_as(WEB, "/revoke", &[("token", &revoked)]).await;
    world.take_events();
    let good = format!("Bearer {access}");
    let invalid = r#"Bearer error="invalid_token", error_description="the token is not valid here""#;
    let any = Require::any();
    let cases: [(Option<String>, Require<'_>, StatusCode, &str); 13] = [
        (None, any, StatusCode::UNAUTHORIZED, "Bearer"),
        (None, Require::scope("read admin"), StatusCode::UNAUTHORIZED, r#"Bearer scope="read admin""#),
        (Some(basic("web", "x")), any, StatusCode::UNAUTHORIZED, "Bearer"),
        (Some("Bearer x".into()), any, StatusCode::UNAUTHORIZED, invalid),
        (Some("Bearer".into()), any, StatusCode::UNAUTHORIZED, invalid),
        (Some("Bearer a b".into()), Require::scope("read"), StatusCode::UNAUTHORIZED, invalid),
        (Some(format!("Bearer {refresh}")), any, StatusCode::UNAUTHORIZED, invalid),
        (Some(format!("Bearer {revoked}")), Require::scope("admin"), StatusCode::UNAUTHORIZED, invalid),
        (
            Some(good.clone()),
            Require::scope("admin"),
            StatusCode::FORBIDDEN,
            r#"Bearer error="insufficient_scope", error_description="the token needs more scope", scope="admin""#,
        ),
        (
            Some(good.clone()),
            Require::scope("read admin"),
            StatusCode::FORBIDDEN,
            r#"Bearer error="insufficient_scope", error_description="the token needs more scope", scope="read admin""#,
        ),
        // A token for anywhere is not one for here, where that is asked for; and one for here is none for there.
        (Some(good.clone()), any.at(RESOURCE), StatusCode::UNAUTHORIZED, invalid),
        (Some(format!("Bearer {at_one}")), any.at(OTHER_RESOURCE), StatusCode::UNAUTHORIZED, invalid),
        // Nor is one for here enough by that alone.
        (
            Some(format!("Bearer {at_one}")),
            Require::scope("admin").at(RESOURCE),
            StatusCode::FORBIDDEN,
            r#"Bearer error="insufficient_scope", error_description="the token needs more scope", scope="admin""#,
        ),
    ];
    for (header, require, status, challenge) in cases {
        let mut request = Request::get("https://api.example.com/things").body(()).unwrap();
        if let Some(header) = &header {
            request.headers_mut().insert("authorization", header.parse().unwrap());
        }
        let before = world.dump();
        let answer = Answer::of(world.server.check(&request, require).await.unwrap_err().into_response());
        world.check("/things", &answer, &before);
        assert_eq!((answer.status, answer.header("www-authenticate")), (status, Some(challenge)), "{header:?}");
        assert_eq!(answer.headers.get_all("www-authenticate").iter().count(), 1);
        assert_eq!(answer.body, "");
    }
    let request = Request::get("/things?access_token=x").body(()).unwrap();
    let answer = Answer::of(world.server.check(&request, any).await.unwrap_err().into_response());
    let challenge =
        r#"Bearer error="invalid_request", error_description="present the token once, in the Authorization header""#;
    assert_eq!((answer.status, answer.header("www-authenticate")), (StatusCode::BAD_REQUEST, Some(challenge)));
    // Each is told to the observer, with its true reason.
    let refusals = world.take_refusals();
    for reason in [
        VerifyError::Missing,
        VerifyError::Misplaced,
        VerifyError::Dead(Dead::Unknown),
        VerifyError::Dead(Dead::Revoked),
        VerifyError::InsufficientScope,
        VerifyError::OtherResource,
    ] {
        assert!(refusals.contains(&Refusal::Verify(reason)), "{reason:?}");
    }
    world.server.check(&bearer(&good), Require::scope("write read")).await.unwrap();
    world.server.check(&bearer(&format!("Bearer {at_one}")), Require::scope("read").at(RESOURCE)).await.unwrap();
}
