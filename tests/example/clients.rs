//! Real clients: the `oauth2` crate, which knows nothing of us, and a user with a browser.

use std::io;

use oauth2::basic::BasicClient;
use oauth2::{
    AccessToken, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, IntrospectionUrl, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RevocationUrl, Scope, StandardRevocableToken, TokenIntrospectionResponse as _, TokenResponse as _, TokenUrl,
};

use crate::browser::{Browser, Page};
use crate::http::exchange;
use crate::process::Example;

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointSet, EndpointSet, EndpointSet>;

/// A client of the example server that knows only the issuer, and takes all else from the metadata.
fn client(server: &Example, id: &str, secret: Option<&str>, redirect_uri: &str) -> Client {
    let metadata = server.metadata();
    let url = |name: &str| metadata[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned();
    let client = BasicClient::new(ClientId::new(id.into()))
        .set_auth_uri(AuthUrl::new(url("authorization_endpoint")).unwrap())
        .set_token_uri(TokenUrl::new(url("token_endpoint")).unwrap())
        .set_introspection_url(IntrospectionUrl::new(url("introspection_endpoint")).unwrap())
        .set_revocation_url(RevocationUrl::new(url("revocation_endpoint")).unwrap())
        .set_redirect_uri(RedirectUrl::new(redirect_uri.into()).unwrap());
    match secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.into())),
        None => client,
    }
}

fn web(server: &Example) -> Client {
    client(server, "web", Some("web-secret-web-secret-web-secret"), "http://127.0.0.1:9999/cb")
}

/// What carries the requests of the `oauth2` crate.
fn carry(request: HttpRequest) -> Result<HttpResponse, io::Error> {
    let (parts, body) = request.into_parts();
    let address = parts.uri.authority().unwrap().as_str();
    let headers: Vec<_> = parts.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    let body = String::from_utf8(body).unwrap();
    let answer = exchange(address, parts.method.as_str(), parts.uri.path(), &headers, &body)?;
    let mut response = http::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    Ok(response.body(answer.body.into_bytes()).unwrap())
}

/// The client asks, the user agrees, and the code comes back with the state that was sent.
fn code(client: &Client, browser: &mut Browser, scope: &[&str]) -> (AuthorizationCode, PkceCodeVerifier) {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let scopes = scope.iter().map(|name| Scope::new((*name).into()));
    let request = client.authorize_url(CsrfToken::new_random).add_scopes(scopes).set_pkce_challenge(challenge);
    let (url, state) = request.url();
    let back: Page = browser.allow(url.as_str());
    let parameters = back.parameters();
    assert_eq!(parameters["state"], *state.secret());
    (AuthorizationCode::new(back.code()), verifier)
}

#[test]
fn a_confidential_client_goes_through_the_whole_life_of_its_tokens() {
    let server = Example::demo();
    let client = web(&server);
    let (code, verifier) = code(&client, &mut server.browser(), &["read", "write"]);
    let first = client.exchange_code(code).set_pkce_verifier(verifier).request(&carry).unwrap();
    assert_eq!(first.expires_in().map(|lifetime| lifetime.as_secs()), Some(43_200));

    let told = client.introspect(first.access_token()).request(&carry).unwrap();
    assert!(told.active());
    assert_eq!((told.sub(), told.client_id().map(|id| id.as_str())), (Some("alice"), Some("web")));
    let scopes: Vec<_> = told.scopes().unwrap().iter().map(|scope| scope.as_str()).collect();
    assert_eq!(scopes, ["read", "write"]);

    let second = client.exchange_refresh_token(first.refresh_token().unwrap()).request(&carry).unwrap();
    assert_ne!(second.access_token().secret(), first.access_token().secret());
    assert_ne!(second.refresh_token().unwrap().secret(), first.refresh_token().unwrap().secret());

    let narrower = client
        .exchange_refresh_token(second.refresh_token().unwrap())
        .add_scope(Scope::new("read".into()))
        .request(&carry)
        .unwrap();
    let told = client.introspect(narrower.access_token()).request(&carry).unwrap();
    assert_eq!(told.scopes().unwrap().len(), 1);

    revoke(&server, "web", Some("web-secret-web-secret-web-secret"), narrower.refresh_token().unwrap().secret());
    for token in [first.access_token(), second.access_token(), narrower.access_token()] {
        assert!(!client.introspect(token).request(&carry).unwrap().active());
    }
    assert!(client.exchange_refresh_token(narrower.refresh_token().unwrap()).request(&carry).is_err());
}

#[test]
fn a_public_client_needs_no_secret_and_takes_any_port() {
    let server = Example::demo();
    let client = client(&server, "cli", None, "http://127.0.0.1:49152/callback");
    let (code, verifier) = code(&client, &mut server.browser(), &["read"]);
    let tokens = client.exchange_code(code).set_pkce_verifier(verifier).request(&carry).unwrap();
    let refreshed = client.exchange_refresh_token(tokens.refresh_token().unwrap()).request(&carry).unwrap();
    let bearer = format!("Bearer {}", refreshed.access_token().secret());
    let me = server.get("/api/me", &[("authorization", &bearer)]).json();
    assert_eq!(me, serde_json::json!({ "sub": "alice", "client_id": "cli", "scope": "read" }));
    revoke(&server, "cli", None, refreshed.access_token().secret());
    assert_eq!(server.get("/api/me", &[("authorization", &bearer)]).status, 401);
}

#[test]
fn a_client_gets_a_token_of_its_own() {
    let server = Example::demo();
    let client = web(&server);
    let token = client.exchange_client_credentials().add_scope(Scope::new("write".into())).request(&carry).unwrap();
    assert!(token.refresh_token().is_none());
    let told = client.introspect(token.access_token()).request(&carry).unwrap();
    assert!(told.active());
    assert_eq!(told.sub(), None);
}

#[test]
fn a_code_is_worth_nothing_with_another_verifier_or_a_second_time() {
    let server = Example::demo();
    let client = web(&server);
    let mut browser = server.browser();
    let (stolen, _) = code(&client, &mut browser, &["read"]);
    let (_, other) = PkceCodeChallenge::new_random_sha256();
    assert!(client.exchange_code(stolen).set_pkce_verifier(other).request(&carry).is_err());

    let (code, verifier) = code(&client, &mut browser, &["read"]);
    let again = (code.clone(), PkceCodeVerifier::new(verifier.secret().clone()));
    let tokens = client.exchange_code(code).set_pkce_verifier(verifier).request(&carry).unwrap();
    assert!(client.exchange_code(again.0).set_pkce_verifier(again.1).request(&carry).is_err());
    let told = client.introspect(tokens.access_token()).request(&carry).unwrap();
    assert!(!told.active(), "what a replayed code had bought is dead");
}

/// Through the crate, if it lets us: its own rule is that revocation needs https.
fn revoke(server: &Example, id: &str, secret: Option<&str>, token: &str) {
    let client = client(server, id, secret, "http://127.0.0.1:9999/cb");
    let token = if token.starts_with("grt_") {
        StandardRevocableToken::RefreshToken(RefreshToken::new(token.into()))
    } else {
        StandardRevocableToken::AccessToken(AccessToken::new(token.into()))
    };
    // The requests go to the loopback whatever the scheme says.
    let https = server.metadata()["revocation_endpoint"].as_str().unwrap().replace("http://", "https://");
    let client = client.set_revocation_url(RevocationUrl::new(https).unwrap());
    client.revoke_token(token).unwrap().request(&carry).unwrap();
}
