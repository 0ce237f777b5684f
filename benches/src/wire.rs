//! Requests as they come from the network, parsed by an HTTP server, and what is read from answers. None of it is measured.

use base64::Engine as _;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;

pub type Incoming = Request<Full<Bytes>>;

pub const ISSUER: &str = "https://auth.example.com";
pub const CALLBACK: &str = "https://app.example/cb";
/// The pair of RFC 7636 App. B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const STATE: &str = "af0ifjsldkj3Rk7";
/// A confidential client that acts for itself.
pub const SERVICE: &str = "service";
pub const SECRET: &str = "gcs_5f0c2a7d9e1b4c8f6a3d0e7b2c9f4a1d8e5b";
/// A public client that acts for users.
pub const APP: &str = "app";
pub const AUTHORIZATION: &str = "Basic c2VydmljZTpnY3NfNWYwYzJhN2Q5ZTFiNGM4ZjZhM2QwZTdiMmM5ZjRhMWQ4ZTVi";

pub const CLIENT_CREDENTIALS: &str = "grant_type=client_credentials&scope=read";

pub fn authorization() -> String {
    let text = format!("{SERVICE}:{SECRET}");
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
}

/// A POST with a form, with the headers that HTTP clients send; with the secret of the service or without.
pub fn post(path: &str, body: String, authenticated: bool) -> Incoming {
    let mut request = Request::post(path)
        .header("host", "auth.example.com")
        .header("user-agent", "bench/1")
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("content-length", body.len());
    if authenticated {
        request = request.header("authorization", AUTHORIZATION);
    }
    request.body(Full::new(Bytes::from(body))).unwrap()
}

pub fn authorize_query() -> String {
    format!(
        "client_id={APP}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&response_type=code&scope=read+write&state={STATE}\
         &code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
}

/// The same parameters, decoded.
pub fn authorize_pairs() -> Vec<(&'static str, &'static str)> {
    vec![
        ("client_id", APP),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "read write"),
        ("state", STATE),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
}

pub fn authorize(user: &str) -> Incoming {
    Request::get(format!("/authorize?{}", authorize_query()))
        .header("host", "auth.example.com")
        .header("user-agent", "bench/1")
        .header("accept", "text/html")
        .header("x-user", user)
        .body(Full::default())
        .unwrap()
}

pub fn exchange_body(code: &str) -> String {
    format!(
        "grant_type=authorization_code&code={}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&client_id={APP}&code_verifier={VERIFIER}",
        escaped(code)
    )
}

pub fn refresh_body(token: &str) -> String {
    format!("grant_type=refresh_token&refresh_token={}&client_id={APP}", escaped(token))
}

pub fn token_body(token: &str) -> String {
    format!("token={}", escaped(token))
}

/// A token that holds none of the characters of base64 that a form must escape passes as it is.
fn escaped(token: &str) -> String {
    token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// The code in a `Location`, decoded.
pub fn code_of(location: &str) -> String {
    let (_, rest) = location.split_once("code=").expect("a code");
    let raw = rest.split(['&', '#']).next().unwrap();
    raw.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
}

/// A text member of a JSON object.
pub fn member(json: &str, name: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(json).unwrap_or_else(|_| panic!("not JSON: {json}"));
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}")).to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_header_is_that_of_the_secret() {
        assert_eq!(super::authorization(), super::AUTHORIZATION);
    }
}
