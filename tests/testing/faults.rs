//! What goes wrong on request, in process and on the wire.

use std::time::Duration;

use grantor::Require;
use grantor::refusal::{Dead, VerifyError};
use grantor::testing::{ConnectionReset, Fault, TestServer, hours};
use grantor::wire::error::ErrorCode;
use http::{Request, StatusCode};

use crate::client::{
    app, authorization, code, encode, exchange, get, introspect, json, led, post, refresh, wire, wire_post,
};

#[tokio::test]
async fn an_oauth_error_is_answered_once_and_then_all_is_well() {
    let server = TestServer::in_process();
    server.inject(Fault::Error(ErrorCode::InvalidGrant));
    let answer = get(&server, &authorization(&[])).await.unwrap();
    assert_eq!(led(&answer, "error").as_deref(), Some("invalid_grant"));
    assert_eq!(led(&answer, "state").as_deref(), Some("xyz"));
    let code = code(&server).await;
    server.inject(Fault::Error(ErrorCode::InvalidGrant));
    assert_eq!(json(&exchange(&server, &code).await.unwrap())["error"], "invalid_grant");
    assert_eq!(exchange(&server, &code).await.unwrap().status(), 200, "the code was not touched");
}

#[tokio::test]
async fn every_error_code_has_the_status_of_its_specification() {
    let server = TestServer::in_process();
    for (code, status) in [
        (ErrorCode::InvalidRequest, 400),
        (ErrorCode::InvalidGrant, 400),
        (ErrorCode::InvalidScope, 400),
        (ErrorCode::UnauthorizedClient, 400),
        (ErrorCode::SlowDown, 400),
        (ErrorCode::InvalidClient, 401),
        (ErrorCode::ServerError, 500),
        (ErrorCode::TemporarilyUnavailable, 503),
    ] {
        server.inject(Fault::Error(code).on("/token"));
        let answer = post(&server, "/token", &app(), &[("grant_type", "client_credentials")]).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{code:?}");
        assert_eq!(json(&answer)["error"], code.as_str());
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(answer.headers().contains_key("www-authenticate"), code == ErrorCode::InvalidClient);
    }
    let answer = post(&server, "/token", &app(), &[("grant_type", "client_credentials")]).await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn an_error_of_an_invalid_authorization_request_is_not_sent_to_where_it_points() {
    let server = TestServer::in_process();
    server.inject(Fault::Error(ErrorCode::ServerError).always());
    let query = authorization(&[]).replace("localhost", "evil.example");
    let answer = get(&server, &query).await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(!answer.headers().contains_key("location"));
}

#[tokio::test]
async fn faults_are_counted_and_meant_for_those_they_are_for() {
    let server = TestServer::in_process();
    let tokens = server.mint("alice").tokens().await;
    server.inject(
        Fault::Unavailable.times(2).when(|request| request.parameter("grant_type").as_deref() == Some("refresh_token")),
    );
    let by_itself = post(&server, "/token", &app(), &[("grant_type", "client_credentials")]).await.unwrap();
    assert_eq!(by_itself.status(), 200);
    let token = tokens.refresh_token.unwrap();
    for expected in [503, 503, 200] {
        let answer = refresh(&server, &token).await.unwrap();
        assert_eq!(answer.status().as_u16(), expected);
        assert_eq!(answer.headers().contains_key("retry-after"), expected == 503);
    }
    server.inject(Fault::ServerError.always().on("/introspect"));
    for _ in 0..3 {
        let answer = post(&server, "/introspect", &crate::client::api(), &[("token", &token)]).await.unwrap();
        assert_eq!((answer.status().as_u16(), json(&answer)["error"].as_str()), (500, Some("server_error")));
    }
    server.clear_faults();
    assert_eq!(introspect(&server, "x").await["active"], false);
}

#[tokio::test]
async fn a_reset_before_the_commit_leaves_the_code_and_one_after_it_spends_it() {
    let server = TestServer::in_process();
    let first = code(&server).await;
    server.inject(Fault::ResetBefore);
    assert_eq!(exchange(&server, &first).await.unwrap_err(), ConnectionReset);
    assert_eq!(exchange(&server, &first).await.unwrap().status(), 200, "nothing had happened");

    let second = code(&server).await;
    server.inject(Fault::ResetAfter);
    assert_eq!(exchange(&server, &second).await.unwrap_err(), ConnectionReset);
    let again = exchange(&server, &second).await.unwrap();
    assert_eq!(json(&again)["error"], "invalid_grant", "the code was spent by a request that was not answered");
}

#[tokio::test]
async fn a_client_that_retries_a_refresh_of_which_it_had_no_answer_gets_its_tokens() {
    let server = TestServer::in_process();
    for fault in [Fault::ResetAfter, Fault::UnavailableAfter] {
        let token = server.mint("alice").refresh().await;
        server.inject(fault);
        let lost = refresh(&server, &token).await;
        assert!(lost.is_err() || lost.unwrap().status() == 503);
        let retried = refresh(&server, &token).await.unwrap();
        assert_eq!(retried.status(), 200, "{}", retried.body());
        let next = json(&retried)["refresh_token"].as_str().unwrap().to_owned();
        assert_eq!(refresh(&server, &next).await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn answers_name_a_wrong_issuer() {
    let server = TestServer::in_process();
    let wrong = "https://wrong-issuer.invalid";
    server.inject(Fault::WrongIssuer.times(3));
    let answer = get(&server, &authorization(&[])).await.unwrap();
    assert_eq!(led(&answer, "iss").as_deref(), Some(wrong));
    assert!(led(&answer, "code").is_some());
    let posted = get(&server, &authorization(&[("response_mode", "form_post")])).await.unwrap();
    assert!(posted.body().contains(wrong) && !posted.body().contains(server.issuer()), "{}", posted.body());
    let metadata = get(&server, "/.well-known/openid-configuration").await.unwrap();
    assert_eq!(json(&metadata)["issuer"], wrong);
    assert_eq!(json(&metadata)["token_endpoint"], server.url("/token"));
    let right = get(&server, &authorization(&[])).await.unwrap();
    assert_eq!(led(&right, "iss").as_deref(), Some(server.issuer()));
}

#[tokio::test]
async fn an_issued_token_is_addressed_elsewhere_or_expired_or_not_yet_valid() {
    let server =
        TestServer::builder().configure(|builder| builder.resource("https://api.example", [""; 0])).in_process();
    let issue = async |fault: Fault| {
        server.inject(fault.on("/token"));
        let fields = [("grant_type", "client_credentials"), ("resource", "https://api.example")];
        let answer = json(&post(&server, "/token", &app(), &fields).await.unwrap());
        assert_eq!(answer["expires_in"], 43_200, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    };
    let here = Require::scope("read").at("https://api.example");
    let verify = async |token: &str| server.oauth().verify(token, here).await.map(|_| ());

    let elsewhere = issue(Fault::WrongAudience).await;
    assert_eq!(verify(&elsewhere).await, Err(VerifyError::OtherResource));
    assert_eq!(introspect(&server, &elsewhere).await["aud"], "https://wrong-audience.invalid");
    let expired = issue(Fault::ExpiredToken).await;
    assert_eq!(verify(&expired).await, Err(VerifyError::Dead(Dead::Expired)));
    let early = issue(Fault::NotYetValidToken).await;
    assert_eq!(verify(&early).await, Err(VerifyError::Dead(Dead::Unknown)));
    server.clock().advance(hours(1));
    assert_eq!(verify(&early).await, Ok(()));

    let token = server.mint("alice").access().await;
    server.inject(Fault::WrongAudience);
    assert_eq!(introspect(&server, &token).await["aud"], "https://wrong-audience.invalid");
    assert_eq!(introspect(&server, &token).await["aud"], serde_json::Value::Null);
}

#[tokio::test]
async fn an_answer_may_be_anything() {
    let server = TestServer::in_process();
    server.inject(Fault::Answer(StatusCode::BAD_GATEWAY, "<h1>Bad gateway</h1>".into()));
    let answer = post(&server, "/token", &app(), &[("grant_type", "client_credentials")]).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.body().as_str()), (502, "<h1>Bad gateway</h1>"));
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_takes_its_time_and_silence_never_ends() {
    let server = TestServer::in_process();
    let begun = tokio::time::Instant::now();
    server.inject(Fault::Slow(Duration::from_secs(30)));
    assert_eq!(introspect(&server, "x").await["active"], false);
    assert_eq!(begun.elapsed(), Duration::from_secs(30));

    server.inject(Fault::Silence);
    let silent = tokio::time::timeout(Duration::from_secs(3_600), introspect(&server, "x")).await;
    assert!(silent.is_err(), "{silent:?}");
}

#[tokio::test]
async fn on_the_wire_a_reset_is_a_reset() {
    let server = TestServer::start().await;
    let form = encode(&[("grant_type", "client_credentials")]);
    let headers = format!("authorization: {}\r\ncontent-type: application/x-www-form-urlencoded\r\n", app());
    let request = wire_post(&server, "/token", &headers, &form);
    assert!(wire(&server, &request).await.unwrap().starts_with("HTTP/1.1 200"));
    for fault in [Fault::ResetBefore, Fault::ResetAfter] {
        server.inject(fault);
        let error = wire(&server, &request).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    assert!(wire(&server, &request).await.unwrap().starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_request_that_is_too_long_is_refused_by_the_engine_itself() {
    let server = TestServer::in_process();
    let request = Request::post(server.url("/token"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("x=".to_owned() + &"y".repeat(1 << 20))
        .unwrap();
    assert_eq!(server.send(request).await.unwrap().status(), 413);
}
