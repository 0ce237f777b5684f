//! The authorization request (ids AU).

use std::net::TcpListener;

use grantor::client::ClientMetadata;
use grantor::event::Refusal;
use grantor::refusal::{ApproveError, ResumeError};
use grantor::refusal::{AuthorizeError, Dead, RequestError, TokenError};
use grantor::{Approval, ClientId};
use http::{HeaderMap, Method, Request, StatusCode};

use crate::harness::*;

const STATE: &str = "a b&c=d/é";

fn get(parameters: &[(&str, &str)]) -> Request<String> {
    Request::get(format!("/authorize?{}", encode(parameters))).body(String::new()).unwrap()
}

/// Changes what is registered of a client.
async fn change(world: &World, client: Known, change: impl FnOnce(ClientMetadata) -> ClientMetadata) {
    let clients = world.server.clients();
    let id = ClientId::from(client.id);
    let present = clients.get(&id).await.unwrap().unwrap();
    clients.update(&id, present.revision(), change(present.metadata().clone())).await.unwrap();
}

#[tokio::test]
async fn au_01_a_response_type_other_than_code_is_refused() {
    let world = World::new().await;
    let others = [
        "token",
        "id_token",
        "none",
        "code token",
        "token code",
        "code id_token",
        "id_token code token",
        "code code",
        "code  token",
        "code ",
        " code",
        "CODE",
        "Code",
        "cod",
        "codes",
        "code,token",
        "code+token",
        "device_code",
        "\"code\"",
        "é",
    ];
    for client in [WEB, CLI, LEGACY] {
        let valid = world.valid_request(client);
        for response_type in others {
            let request = changed(&valid, &[("response_type", response_type)]);
            world.authorize(&request).await.redirected(CALLBACK, "unsupported_response_type", Some(STATE));
            assert_eq!(world.take_refusals(), [Refusal::Authorize(AuthorizeError::ResponseTypeUnsupported)]);
        }
        for request in [without(&valid, "response_type"), changed(&valid, &[("response_type", "")])] {
            world.authorize(&request).await.redirected(CALLBACK, "invalid_request", Some(STATE));
            assert_eq!(world.take_refusals(), [Refusal::Authorize(AuthorizeError::ResponseTypeMissing)]);
        }
    }
    // A client that registered none may not use the one there is.
    change(&world, WEB, |metadata| ClientMetadata { response_types: Vec::new(), ..metadata }).await;
    let sent = world.authorize(&world.valid_request(WEB)).await;
    sent.redirected(CALLBACK, "unauthorized_client", Some(STATE));
}

#[tokio::test]
async fn au_02_a_scope_that_is_unknown_forbidden_or_malformed_is_refused() {
    let world = World::new().await;
    let three_hundred = (0..300).map(|at| format!("s{at}")).collect::<Vec<_>>().join(" ");
    let repeated = vec!["read"; 300].join(" ");
    let long = "r".repeat(5000);
    let scopes = [
        "unknown",
        "read unknown",
        "openid",
        "offline_access",
        // Known, and not this client's.
        "profile",
        "read profile",
        "read\"",
        "\"read\"",
        "read\\",
        "read,write",
        "read;write",
        "read  write",
        " read",
        "read ",
        " ",
        "Read",
        "READ",
        "rea",
        "reads",
        "*",
        "read*",
        "ré",
        "read\u{a0}write",
        &three_hundred,
        &repeated,
        &long,
    ];
    for client in [WEB, CLI] {
        for scope in scopes {
            let request = changed(&world.valid_request(client), &[("scope", scope)]);
            world.authorize(&request).await.redirected(CALLBACK, "invalid_scope", Some(STATE));
            assert_eq!(world.take_refusals(), [Refusal::Authorize(AuthorizeError::Scope)], "{scope}");
        }
    }
    // What a client has lost, it may not ask for.
    change(&world, WEB, |metadata| ClientMetadata { scope: "read".parse().unwrap(), ..metadata }).await;
    let sent = world.authorize(&world.valid_request(WEB)).await;
    sent.redirected(CALLBACK, "invalid_scope", Some(STATE));
}

#[tokio::test]
async fn au_02_a_scope_named_twice_counts_once() {
    let world = World::new().await;
    let fifty = vec!["write read"; 50].join(" ");
    for (asked, effective) in [
        ("read read", "read"),
        ("write read write", "write read"),
        ("read write read read", "read write"),
        (&fifty, "write read"),
    ] {
        let request = changed(&world.valid_request(WEB), &[("scope", asked)]);
        let pending = world.authorize(&request).await.pending();
        assert_eq!(pending.scope().as_str(), effective);
        let code = world.code(&request, "alice").await;
        let (access, _) = world.redeem(WEB, &code).await.tokens();
        assert_eq!(world.introspect(WEB, &access).await["scope"], effective);
    }
}

#[tokio::test]
async fn au_02_an_absent_scope_means_the_default_scopes() {
    let world = World::new().await;
    let valid = world.valid_request(WEB);
    for request in [without(&valid, "scope"), changed(&valid, &[("scope", "")])] {
        let pending = world.authorize(&request).await.pending();
        assert_eq!(pending.scope().as_str(), "read");
        let code = world.code(&request, "alice").await;
        let answer = world.redeem(WEB, &code).await;
        // Other than asked for, so it is said (RFC 6749 §3.3).
        assert_eq!(answer.field("scope"), "read");
    }
    // A client that may not have the default gets nothing by saying nothing.
    change(&world, WEB, |metadata| ClientMetadata { scope: "write".parse().unwrap(), ..metadata }).await;
    world.authorize(&without(&valid, "scope")).await.redirected(CALLBACK, "invalid_scope", Some(STATE));
    // One that registered no scope has the default, and no more.
    change(&world, WEB, |metadata| ClientMetadata { scope: grantor::wire::scope::Scope::empty(), ..metadata }).await;
    assert_eq!(world.authorize(&without(&valid, "scope")).await.pending().scope().as_str(), "read");
    world.authorize(&valid).await.redirected(CALLBACK, "invalid_scope", Some(STATE));
}

#[tokio::test]
async fn au_07_request_objects_are_refused_and_nothing_is_fetched() {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let here = format!("http://{}/request.jwt", listener.local_addr().unwrap());
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzY29wZSI6ImFkbWluIn0.";
    let valid = world.valid_request(WEB);
    for request in ["x", unsigned, "{}", " "] {
        let sent = world.authorize(&changed(&valid, &[("request", request)])).await;
        sent.redirected(CALLBACK, "request_not_supported", Some(STATE));
    }
    let uris = [
        here.as_str(),
        "https://app.example/request.jwt",
        "urn:ietf:params:oauth:request_uri:x",
        "file:///etc/passwd",
        "x",
    ];
    for uri in uris {
        let sent = world.authorize(&changed(&valid, &[("request_uri", uri)])).await;
        sent.redirected(CALLBACK, "request_uri_not_supported", Some(STATE));
    }
    // The name is what is told, also where the rest of the request is thought to be in the object.
    let bare = [("client_id", WEB.id), ("redirect_uri", CALLBACK), ("request", unsigned), ("request_uri", &here)];
    world.authorize(&bare).await.redirected(CALLBACK, "request_not_supported", None);
    world.authorize(&without(&bare, "request")).await.redirected(CALLBACK, "request_uri_not_supported", None);
    // Nobody knows a client or a redirect URI from an object that is not read.
    for name in ["client_id", "redirect_uri"] {
        world.authorize(&without(&bare, name)).await.local();
    }
    let connected = listener.accept().map(|(_, peer)| peer);
    assert_eq!(connected.unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "the address was visited");
}

#[tokio::test]
async fn au_16_a_disabled_or_unknown_client_gets_an_error_page() {
    let world = World::new().await;
    let request = |id: &'static str| changed(&world.valid_request(WEB), &[("client_id", id)]);
    let unknown = world.authorize(&request("nobody")).await.local();
    let too_long: &str = &"x".repeat(513);
    for id in ["", " ", "web2", "we", "https://app.example/client.json", "../web", "web\"", too_long] {
        world.authorize(&changed(&world.valid_request(WEB), &[("client_id", id)])).await.local().same_as(&unknown);
    }
    world.authorize(&without(&world.valid_request(WEB), "client_id")).await.local().same_as(&unknown);
    let clients = world.server.clients();
    clients.deactivate(&"web".into()).await.unwrap();
    world.authorize(&request("web")).await.local().same_as(&unknown);
    clients.activate(&"web".into()).await.unwrap();
    let _ = world.authorize(&request("web")).await.pending();
    clients.delete(&"web".into()).await.unwrap();
    world.authorize(&request("web")).await.local().same_as(&unknown);
    // Whatever else is wrong, and wherever it asks to be sent.
    let wrong = changed(&request("web"), &[("response_type", "token"), ("redirect_uri", "https://evil.example")]);
    world.authorize(&wrong).await.local().same_as(&unknown);
}

#[tokio::test]
async fn au_16_a_client_without_the_code_grant_is_unauthorized() {
    let world = World::new().await;
    change(&world, WEB, |metadata| ClientMetadata { grant_types: vec!["client_credentials".into()], ..metadata }).await;
    let valid = world.valid_request(WEB);
    world.authorize(&valid).await.redirected(CALLBACK, "unauthorized_client", Some(STATE));
    world.send(post("/authorize", &valid)).await.redirected(CALLBACK, "unauthorized_client", Some(STATE));
    assert_eq!(world.take_refusals(), [Refusal::Authorize(AuthorizeError::ResponseTypeNotAllowed); 2]);
    // Without a redirect URI there is nobody to tell.
    world.authorize(&changed(&valid, &[("client_id", API.id)])).await.local();
}

#[tokio::test]
async fn au_16_a_client_deleted_during_the_flow_gets_no_token() {
    for client in [WEB, POSTER, CLI] {
        for delete in [true, false] {
            let world = World::new().await;
            let code = world.valid_code(client).await;
            let pending = world.authorize(&world.valid_request(client)).await.pending();
            let kept = world.authorize(&world.valid_request(client)).await.pending();
            let suspended = world.server.suspend(*kept, None).unwrap();
            let mut headers = HeaderMap::new();
            let cookie = suspended.set_cookie.unwrap();
            headers.insert("cookie", cookie.to_str().unwrap().split(';').next().unwrap().parse().unwrap());

            let (clients, id) = (world.server.clients(), ClientId::from(client.id));
            if delete {
                clients.delete(&id).await.unwrap();
            } else {
                clients.deactivate(&id).await.unwrap();
            }
            let before = world.dump();
            let approval = || Approval::new("alice".into(), world.now());
            let refused = world.server.approve(*pending, approval()).await.unwrap_err();
            assert_eq!(refused, ApproveError::ClientChanged);
            let refused = world.server.resume(&suspended.handle, &headers).await.unwrap_err();
            assert_eq!(refused, ResumeError::ClientChanged);
            assert_eq!(world.dump(), before);
            world.redeem(client, &code).await.unauthenticated(client == WEB);
            if delete {
                continue;
            }
            // Active again, it begins anew: what was under way does not go on.
            clients.activate(&id).await.unwrap();
            world.redeem(client, &code).await.refused("invalid_grant");
            let (access, _) = world.tokens(client).await;
            assert!(world.is_live(&access).await);
        }
    }
}

#[tokio::test]
async fn au_16_a_request_begun_before_a_deactivation_is_not_approved_after_it() {
    let world = World::new().await;
    let pending = world.authorize(&world.valid_request(WEB)).await.pending();
    world.server.clients().deactivate(&"web".into()).await.unwrap();
    world.server.clients().activate(&"web".into()).await.unwrap();
    let before = world.dump();
    let approval = Approval::new("alice".into(), world.now());
    assert_eq!(world.server.approve(*pending, approval).await.unwrap_err(), ApproveError::ClientChanged);
    assert_eq!(world.dump(), before);
    // Nor one whose redirect URI has been taken away, or that now needs a challenge.
    for take_away in [true, false] {
        let request = without(&without(&world.valid_request(LEGACY), "code_challenge"), "code_challenge_method");
        let pending = world.authorize(&request).await.pending();
        if take_away {
            let redirect_uris = vec!["https://app.example/new".to_owned()];
            change(&world, LEGACY, |metadata| ClientMetadata { redirect_uris, ..metadata }).await;
        } else {
            change(&world, LEGACY, |metadata| ClientMetadata { require_pkce: true, ..metadata }).await;
        }
        let approval = Approval::new("alice".into(), world.now());
        assert_eq!(world.server.approve(*pending, approval).await.unwrap_err(), ApproveError::ClientChanged);
        change(&world, LEGACY, |_| metadata(LEGACY)).await;
    }
}

#[tokio::test]
async fn au_17_query_and_body_together_are_refused() {
    let world = World::new().await;
    let valid = world.valid_request(WEB);
    let form = encode(&valid);
    let both = |query: &str, body: &str| raw_post(&format!("/authorize?{query}"), body);
    let (half, other) = valid.split_at(3);
    let requests = [
        both(&form, &form),
        both(&encode(half), &encode(other)),
        both(&encode(other), &encode(half)),
        both("x=1", &form),
        both("x", &form),
        both("&", &form),
        both("client_id=cli", &form),
        both(&form, ""),
        with_method(raw_post(&format!("/authorize?{form}"), form.clone()), Method::GET),
        with_method(raw_post(&format!("/authorize?{form}"), "x"), Method::GET),
        with_method(raw_post("/authorize", form.clone()), Method::GET),
    ];
    for request in requests {
        let shown = format!("{} {}", request.method(), request.uri());
        world.send(request).await.local();
        let two_sources = Refusal::Authorize(AuthorizeError::Request(RequestError::TwoSources));
        assert_eq!(world.take_refusals(), [two_sources], "{shown}");
    }
}

#[tokio::test]
async fn au_17_get_and_post_both_work() {
    let world = World::new().await;
    for client in [WEB, POSTER, CLI, LEGACY] {
        let valid = world.valid_request(client);
        let absolute = Request::get(format!("{ISSUER}/authorize?{}", encode(&valid))).body(String::new()).unwrap();
        let empty_query = raw_post("/authorize?", encode(&valid));
        for request in [get(&valid), post("/authorize", &valid), absolute, empty_query] {
            let pending = world.send(request).await.pending();
            assert_eq!(pending.client().id().as_str(), client.id);
            let response = world.server.approve(*pending, Approval::new("alice".into(), world.now())).await.unwrap();
            let parameters = Answer::of(response).redirect().unwrap().parameters;
            assert_eq!(parameters["state"], STATE);
            world.redeem(client, &parameters["code"]).await.tokens();
        }
    }
    // A body is read as what it is declared to be.
    let valid = world.valid_request(WEB);
    let mut request = post("/authorize", &valid);
    request.headers_mut().insert("content-type", "application/json".parse().unwrap());
    world.send(request).await.local();
}

#[tokio::test]
async fn au_22_the_response_names_the_server_that_gave_it() {
    let honest = World::at("https://honest.example", |builder| builder).await;
    let attacker = World::at("https://attacker.example", |builder| builder).await;
    let mut codes = Vec::new();
    for (world, issuer) in [(&honest, "https://honest.example"), (&attacker, "https://attacker.example")] {
        let valid = world.valid_request(WEB);
        assert_eq!(world.server.issuer(), issuer);
        // Whatever the request claims.
        let valid = changed(&valid, &[("iss", "https://honest.example"), ("issuer", "https://honest.example")]);
        let pending = world.authorize(&valid).await.pending();
        let response = world.server.approve(*pending, Approval::new("alice".into(), world.now())).await.unwrap();
        let parameters = Answer::of(response).redirect().unwrap().parameters;
        assert_eq!(parameters["iss"], issuer);
        let pending = world.authorize(&valid).await.pending();
        let denied = Answer::of(world.server.deny(*pending, None).await.unwrap());
        assert_eq!(denied.redirect().unwrap().parameters["iss"], issuer);
        let wrong = world.authorize(&changed(&valid, &[("scope", "unknown")])).await.answer();
        assert_eq!(wrong.redirect().unwrap().parameters["iss"], issuer);
        codes.push(parameters["code"].clone());
    }
    // A code that went to the wrong one is nothing there, and stays good where it belongs.
    attacker.redeem(WEB, &codes[0]).await.refused("invalid_grant");
    honest.redeem(WEB, &codes[1]).await.refused("invalid_grant");
    let dead = Refusal::Token(TokenError::CodeDead(Dead::Unknown));
    assert_eq!(attacker.take_refusals().last(), Some(&dead));
    honest.redeem(WEB, &codes[0]).await.tokens();
    // Nor does a handle of one open at the other.
    let pending = honest.authorize(&honest.valid_request(WEB)).await.pending();
    let suspended = honest.server.suspend(*pending, None).unwrap();
    let mut headers = HeaderMap::new();
    headers
        .insert("cookie", suspended.set_cookie.unwrap().to_str().unwrap().split(';').next().unwrap().parse().unwrap());
    let elsewhere = attacker.server.resume(&suspended.handle, &headers).await.unwrap_err();
    assert_eq!(elsewhere, ResumeError::Invalid);
    let _ = honest.server.resume(&suspended.handle, &headers).await.unwrap();
}

#[tokio::test]
async fn rfc6749_4_1_1_a_good_request_stops_at_the_user() {
    let world = World::new().await;
    for client in [WEB, POSTER, CLI, LEGACY] {
        let before = world.dump();
        let pending = world.authorize(&world.valid_request(client)).await.pending();
        assert_eq!(pending.client().id().as_str(), client.id);
        assert_eq!(pending.redirect_uri(), world.valid_request(client)[1].1);
        assert_eq!(pending.scope().as_str(), "read write");
        assert!(pending.resources().is_empty() && pending.subject().is_none());
        assert_eq!(pending.started_at(), world.now());
        // Nobody has agreed to anything, so nothing has happened.
        drop(pending);
        assert_eq!(world.dump(), before);
        assert!(world.take_events().is_empty());
    }
}

#[tokio::test]
async fn rfc6749_4_1_2_an_approval_answers_with_a_code_and_the_state() {
    let world = World::new().await;
    for client in [WEB, POSTER, CLI, LEGACY] {
        let pending = world.authorize(&world.valid_request(client)).await.pending();
        let before = world.dump();
        let response = world.server.approve(*pending, Approval::new("alice".into(), world.now())).await.unwrap();
        let answer = Answer::of(response);
        world.check("/authorize", &answer, &before);
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::SEE_OTHER, ""));
        let redirect = answer.redirect().unwrap();
        assert_eq!(redirect.base, world.valid_request(client)[1].1);
        let mut names: Vec<_> = redirect.parameters.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["code", "iss", "state"]);
        assert_eq!(redirect.parameters["state"], STATE);
        assert!(redirect.parameters["code"].starts_with("gac_"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        world.redeem(client, &redirect.parameters["code"]).await.tokens();
    }
}

#[tokio::test]
async fn rfc6749_4_1_2_1_a_refusal_is_access_denied() {
    let world = World::new().await;
    for subject in [None, Some("alice")] {
        for client in [WEB, CLI] {
            let pending = world.authorize(&world.valid_request(client)).await.pending();
            let before = world.dump();
            let response = world.server.deny(*pending, subject.map(Into::into).as_ref()).await.unwrap();
            let answer = Answer::of(response);
            assert_eq!(world.dump(), before);
            Sent::Answer(answer).redirected(CALLBACK, "access_denied", Some(STATE));
        }
    }
    // To allow nothing is to refuse.
    let pending = world.authorize(&world.valid_request(WEB)).await.pending();
    let nothing = Approval::new("alice".into(), world.now()).with_scope(grantor::wire::scope::Scope::empty());
    let answer = Answer::of(world.server.approve(*pending, nothing).await.unwrap());
    Sent::Answer(answer).redirected(CALLBACK, "access_denied", Some(STATE));
    // And so is an account that is not active.
    world.server.subjects().deactivate(&"mallory".into()).await.unwrap();
    let pending = world.authorize(&world.valid_request(WEB)).await.pending();
    let approval = Approval::new("mallory".into(), world.now());
    let answer = Answer::of(world.server.approve(*pending, approval).await.unwrap());
    Sent::Answer(answer).redirected(CALLBACK, "access_denied", Some(STATE));
}

#[tokio::test]
async fn rfc8707_2_a_resource_that_is_malformed_or_unknown_is_an_invalid_target() {
    let world = World::new().await;
    let valid = world.valid_request(WEB);
    let wrong = [
        "https://unknown.example",
        "https://api.example.com/",
        "https://API.example.com",
        "HTTPS://api.example.com",
        "https://api.example.com:443",
        "https://api.example.com/v1",
        "https://api.example.com?x",
        "https://api.example.com#f",
        "https://api.example.com#",
        "https://user@api.example.com",
        "https://api.example.com ",
        " https://api.example.com",
        "https://api.example.com https://files.example.com",
        "api.example.com",
        "//api.example.com",
        "/v1",
        "https://",
        "https:api.example.com",
        "not a uri",
        "https://api.example.com/\u{e9}",
        "*",
    ];
    for resource in wrong {
        for resources in [vec![resource], vec![RESOURCE, resource], vec![resource, RESOURCE]] {
            let resources: Vec<_> = resources.into_iter().map(|resource| ("resource", resource)).collect();
            let sent = world.authorize(&[valid.clone(), resources].concat()).await;
            sent.redirected(CALLBACK, "invalid_target", Some(STATE));
            assert_eq!(world.take_refusals(), [Refusal::Authorize(AuthorizeError::Target)], "{resource}");
        }
    }
    let many: Vec<String> = (0..21).map(|at| format!("https://r{at}.example")).collect();
    let many: Vec<_> = many.iter().map(|resource| ("resource", resource.as_str())).collect();
    let sent = world.authorize(&[valid.clone(), many].concat()).await;
    sent.redirected(CALLBACK, "invalid_target", Some(STATE));
    // The one that is meant reaches the token.
    let code = world.code(&changed(&valid, &[("resource", RESOURCE)]), "alice").await;
    let (access, _) = world.redeem(WEB, &code).await.tokens();
    assert_eq!(world.introspect(WEB, &access).await["aud"], RESOURCE);
}

#[tokio::test]
async fn rfc9700_2_6_the_authorization_endpoint_allows_no_other_origin() {
    let world = World::new().await;
    let valid = world.valid_request(WEB);
    let wrong = changed(&valid, &[("scope", "unknown")]);
    let local = without(&valid, "client_id");
    let mut requests = Vec::new();
    for parameters in [&wrong, &local] {
        requests.extend([get(parameters), post("/authorize", parameters)]);
    }
    for method in [Method::OPTIONS, Method::PUT, Method::HEAD] {
        requests.push(with_method(get(&valid), method));
    }
    let mut answers = Vec::new();
    for origin in ["https://app.example", "https://evil.example", "null", ISSUER] {
        for request in &requests {
            let mut request = request.clone();
            request.headers_mut().insert("origin", origin.parse().unwrap());
            request.headers_mut().insert("access-control-request-method", "GET".parse().unwrap());
            answers.push(world.send(request).await.answer());
        }
    }
    let pending = world.authorize(&valid).await.pending();
    answers.push(Answer::of(world.server.deny(*pending, None).await.unwrap()));
    for answer in answers {
        let opened = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
        assert_eq!(opened, None, "{}", answer.status);
    }
}

#[tokio::test]
async fn rfc9700_4_12_every_redirect_is_a_303() {
    let world = World::new().await;
    let mut answers = Vec::new();
    for client in [WEB, CLI] {
        let valid = world.valid_request(client);
        let wrong = changed(&valid, &[("scope", "unknown")]);
        for request in [get(&wrong), post("/authorize", &wrong)] {
            answers.push(world.send(request).await.answer());
        }
        for request in [get(&valid), post("/authorize", &valid), get(&valid), post("/authorize", &valid)] {
            let pending = world.send(request).await.pending();
            let allow = answers.len() % 2 == 0;
            let response = if allow {
                world.server.approve(*pending, Approval::new("alice".into(), world.now())).await
            } else {
                world.server.deny(*pending, Some(&"alice".into())).await
            };
            answers.push(Answer::of(response.unwrap()));
        }
    }
    assert_eq!(answers.len(), 12);
    for answer in answers {
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::SEE_OTHER, ""));
        assert_eq!(answer.redirect().unwrap().base, CALLBACK);
        // A browser must not offer it from its memory, nor tell the client which page it came from.
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    }
}
