//! The configuration file: what the issue tracker promised starts, and each mistake is named with its line.

use crate::process::Example;

/// As it was announced, byte for byte.
const PROMISED: &str = r#"issuer = "http://127.0.0.1:8080"
listen = "127.0.0.1:8080"
store  = "memory:"
[lifetimes]            # seconds
access_token = 43200
refresh_token = 2592000
authorization_code = 60
refresh_retry_window = 30
[limits]
grants_per_subject_and_client = 10
[[scopes]]
name = "read"
description = "Read your data"
default = true
[[users]]
username = "alice"
password = "wonderland"
claims = { name = "Alice Liddell", email = "alice@example.com", email_verified = true }
[[clients]]            # RFC 7591 names
client_id = "web"
client_secret = "web-secret-web-secret-web-secret"
client_name = "Web"
redirect_uris = ["http://127.0.0.1:9999/cb"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
scope = "read write"
token_endpoint_auth_method = "client_secret_basic"
require_pkce = true
resource_server = false   # true: may introspect any token addressed to it
[[resources]]
identifier = "https://api.example.com"
scopes = ["read", "write"]
"#;

#[test]
fn the_promised_file_starts_and_means_what_it_says() {
    let server = Example::configured(&PROMISED.replace("access_token = 43200", "access_token = 4321"));
    assert!(!server.printed.contains("wonderland") && !server.printed.contains("web-secret"), "{}", server.printed);
    assert_eq!(server.metadata()["issuer"], "http://127.0.0.1:8080", "the issuer stays as it is given");
    let basic = [("authorization", "Basic d2ViOndlYi1zZWNyZXQtd2ViLXNlY3JldC13ZWItc2VjcmV0")];
    let fields =
        [("grant_type", "client_credentials"), ("scope", "read write"), ("resource", "https://api.example.com")];
    let answer = server.post("/token", &basic, &fields).json();
    assert_eq!((&answer["expires_in"], &answer["scope"]), (&4321.into(), &"read write".into()));
    assert!(Example::configured(PROMISED).printed.contains("clients       web"));
}

#[test]
fn every_member_of_the_metadata_is_taken() {
    let more = "require_pkce = true\napplication_type = \"web\"\nresponse_types = [\"code\"]\ncontacts = [\"x@example.com\"]\n\
                client_uri = \"https://example.com/\"\nlogo_uri = \"https://example.com/logo\"\naccess_token_lifetime = 77\n\
                refresh_token_rotation = \"each_use\"\nconsent = \"always\"\nresources = [\"https://api.example.com\"]";
    let server = Example::configured(&PROMISED.replace("require_pkce = true", more));
    let basic = [("authorization", "Basic d2ViOndlYi1zZWNyZXQtd2ViLXNlY3JldC13ZWItc2VjcmV0")];
    let answer = server.post("/token", &basic, &[("grant_type", "client_credentials")]).json();
    assert_eq!(answer["expires_in"], 77);
}

#[test]
fn a_mistake_is_named_with_its_line_and_its_key() {
    // The line that is replaced, what stands there instead, and what the error must say.
    let mistakes = [
        ("issuer = \"http://127.0.0.1:8080\"", "issuer = \"http://example.com\"", "line 1, issuer: "),
        ("issuer = \"http://127.0.0.1:8080\"", "", "issuer"),
        ("issuer = \"http://127.0.0.1:8080\"", "issuer = 8080", "line 1, issuer: "),
        ("listen = \"127.0.0.1:8080\"", "listen = \"localhost\"", "line 2, listen: "),
        ("listen = \"127.0.0.1:8080\"", "lisen = \"127.0.0.1:8080\"", "line 2, lisen: "),
        (
            "store  = \"memory:\"",
            "store = \"mysql://root:7777777@here\"",
            "line 3, store: must be \"memory:\", \"sqlite:FILE\",",
        ),
        ("store  = \"memory:\"", "store = \"sqlite:\"", "line 3, store: must be "),
        ("store  = \"memory:\"", "store = \"sqlite:no/such/directory/auth.db\"", "line 3, store: "),
        ("store  = \"memory:\"", "store = \"postgres://root:7777777@127.0.0.1:1/db\"", "line 3, store: "),
        ("store  = \"memory:\"", "store = \"redis://:7777777@127.0.0.1:1\"", "line 3, store: "),
        ("store  = \"memory:\"", "store = \"redis://a, http://b\"", "line 3, store: must be one redis:// URL"),
        ("store  = \"memory:\"", "store = \"rediss://a\"", "line 3, store: this example is built without TLS"),
        ("store  = \"memory:\"", "danger_accept_loss = \"some\"", "line 3, danger_accept_loss: "),
        ("store  = \"memory:\"", "store == \"memory:\"", "line 3, store: "),
        ("[limits]", "[limit]", "line 9, limit"),
        ("access_token = 43200", "access_token = \"long\"", "line 5, lifetimes.access_token: "),
        ("access_token = 43200", "access_tokens = 43200", "line 5, lifetimes.access_tokens: "),
        ("access_token = 43200", "access_token = -1", "line 5, lifetimes.access_token: "),
        ("access_token = 43200", "access_token = 0", "line 5, lifetimes.access_token: "),
        ("authorization_code = 60", "authorization_code = 601", "line 7, lifetimes.authorization_code: "),
        ("grants_per_subject_and_client = 10", "grants_per_subject_and_client = 0", "line 10, limits.grants_per"),
        ("name = \"read\"", "name = \"re ad\"", "line 12, scopes[0].name: "),
        ("default = true", "default = \"yes\"", "line 14, scopes[0].default: "),
        ("default = true", "default = true\n[[scopes]]\nname = \"read\"", "line 16, scopes[1].name: "),
        ("username = \"alice\"", "username = \"\"", "line 16, users[0].username: "),
        ("username = \"alice\"", "user = \"alice\"", "line 16, users[0].user: "),
        ("password = \"wonderland\"", "password = 7777777", "line 17, users[0].password: must be a string"),
        ("password = \"wonderland\"", "password = \"\"", "line 17, users[0].password: "),
        ("client_id = \"web\"", "", "line 19, clients[0]: missing field `client_id`"),
        ("client_id = \"web\"", "client_id = \"https://web\"", "line 20, clients[0].client_id: "),
        (
            "[[resources]]",
            "[[clients]]\nclient_id = \"web\"\nclient_secret = \"0123456789abcdef\"\n[[resources]]",
            "line 30, clients[1].client_id: ",
        ),
        (
            "client_secret = \"web-secret-web-secret-web-secret\"",
            "client_secret = \"short\"",
            "line 21, clients[0].client_secret: ",
        ),
        ("client_secret = \"web-secret-web-secret-web-secret\"", "", "line 19, clients[0].client_secret: "),
        ("client_name = \"Web\"", "clientname = \"Web\"", "line 22, clients[0].clientname: "),
        (
            "redirect_uris = [\"http://127.0.0.1:9999/cb\"]",
            "redirect_uris = [\n  \"https://a.example/cb\",\n  5,\n]",
            "line 25, clients[0].redirect_uris: ",
        ),
        (
            "redirect_uris = [\"http://127.0.0.1:9999/cb\"]",
            "redirect_uris = [\"http://evil.example/cb\"]",
            "line 23, clients[0].redirect_uris: ",
        ),
        (
            "redirect_uris = [\"http://127.0.0.1:9999/cb\"]",
            "redirect_uris = [\"https://app.example/cb#x\"]",
            "line 23, clients[0].redirect_uris: ",
        ),
        ("scope = \"read write\"", "scope = \"read \\\"write\"", "line 25, clients[0].scope: "),
        (
            "token_endpoint_auth_method = \"client_secret_basic\"",
            "token_endpoint_auth_method = \"basic\"",
            "line 26, clients[0].token_endpoint_auth_method: ",
        ),
        (
            "token_endpoint_auth_method = \"client_secret_basic\"",
            "token_endpoint_auth_method = \"none\"",
            "clients[0].",
        ),
        ("require_pkce = true", "require_pkce = 1", "line 27, clients[0].require_pkce: "),
        ("[[clients]]            # RFC 7591 names", "[clients]", "line 19, clients: "),
        ("identifier = \"https://api.example.com\"", "identifier = \"api\"", "line 30, resources[0].identifier: "),
        ("scopes = [\"read\", \"write\"]", "scopes = \"read\"", "line 31, resources[0].scopes: "),
    ];
    for (line, instead, expected) in mistakes {
        assert!(PROMISED.contains(line), "{line}");
        let error = Example::refused(&PROMISED.replacen(line, instead, 1));
        assert!(error.starts_with("error: FILE, line ") && error.contains(expected), "{instead}\n{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(!error.contains("7777777") && !error.contains("short"), "a secret is repeated: {error}");
    }
}

#[test]
fn an_issuer_may_have_a_path_and_everything_is_below_it() {
    let toml = PROMISED.replace("issuer = \"http://127.0.0.1:8080\"", "issuer = \"http://127.0.0.1:8080/tenant\"");
    let server = Example::configured(&toml);
    let mut browser = server.browser_at("http://127.0.0.1:8080");
    let url = "http://127.0.0.1:8080/tenant/authorize?response_type=code&client_id=web&code_challenge=\
               E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let back = browser.allow(&format!("{url}&redirect_uri=http://127.0.0.1:9999/cb"));
    assert_eq!(back.parameters()["iss"], "http://127.0.0.1:8080/tenant");
    assert!(!back.code().is_empty());
    assert!(browser.open("http://127.0.0.1:8080/tenant").answer.body.contains("Alice Liddell"));
    assert_eq!(server.get("/tenant/api/me", &[]).status, 401);
    for elsewhere in ["/login", "/", "/api/me", "/authorize"] {
        assert_eq!(server.get(elsewhere, &[]).status, 404, "{elsewhere}");
    }
}
