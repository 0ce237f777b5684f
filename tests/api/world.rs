//! A server with the API, and callers.

use std::sync::Arc;

use grantor::access::Access;
use grantor::api::ManagementApi;
use grantor::client::{AuthMethod, ClientMetadata};
use grantor::clock::{ManualClock, Timestamp};
use grantor::manage::Registered;
use grantor::store::MemoryStore;
use grantor::{Approval, AuthorizationServer, DynamicRegistration, Outcome};
use http::{Request, Response};
use serde_json::{Value, json};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const BASE: &str = "https://auth.example.com/tenant/manage/v1";
pub const ALL: &str = "grantor:clients:read grantor:clients:write grantor:grants:read grantor:grants:write \
                       grantor:tokens:read grantor:tokens:write";

pub struct World {
    pub server: AuthorizationServer,
    pub store: Arc<MemoryStore>,
    pub clock: Arc<ManualClock>,
    pub document: Value,
    /// A client with all the scope there is.
    pub root: Registered,
}

/// An answer, which fits the document.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub json: Value,
    pub response: Response<String>,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap()
    }
}

fn by_token() -> DynamicRegistration {
    DynamicRegistration::by_initial_access_token().scope(["read", "grantor:clients:read"])
}

impl World {
    pub async fn new() -> Self {
        Self::with(ManagementApi::new(), Some(by_token())).await
    }

    pub async fn whose_access(access: impl Access) -> Self {
        Self::with(ManagementApi::new().access(access), Some(by_token())).await
    }

    /// Where clients do not register themselves.
    pub async fn without_registration() -> Self {
        Self::with(ManagementApi::new(), None).await
    }

    async fn with(api: ManagementApi, registration: Option<DynamicRegistration>) -> Self {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_767_225_600)));
        let builder = AuthorizationServer::builder("https://auth.example.com/tenant")
            .shared_store(Arc::clone(&store) as _)
            .clock(Arc::clone(&clock) as _)
            .default_scope("read", "Read your data")
            .scope("write", "Change your data")
            .resource(BASE, [""; 0])
            .resource("https://other.example", [""; 0])
            .management_api(api);
        let server = match registration {
            Some(registration) => builder.registration(registration),
            None => builder,
        };
        let server = server.build().unwrap();
        let root = server.clients().register(metadata("Root", ALL)).await.unwrap();
        let mut world = Self { server, store, clock, document: Value::Null, root };
        let document = world.send(Request::get("/tenant/manage/v1/openapi.json").body(String::new()).unwrap()).await;
        world.document = serde_json::from_str(document.body()).unwrap();
        world
    }

    pub async fn register(&self, name: &str, scope: &str) -> Registered {
        self.server.clients().register(metadata(name, scope)).await.unwrap()
    }

    pub async fn send(&self, request: Request<String>) -> Response<String> {
        match self.server.handle(request).await {
            Outcome::Respond(response) => response,
            other => panic!("{other:?}"),
        }
    }

    pub async fn form(&self, path: &str, client: &Registered, body: &str) -> Value {
        let (id, secret) = (client.client.id(), client.secret.as_ref().unwrap().expose());
        let request = Request::post(format!("/tenant{path}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("{body}&client_id={id}&client_secret={secret}"));
        let answer = self.send(request.unwrap()).await;
        serde_json::from_str(answer.body()).unwrap()
    }

    /// A token that the client holds for itself.
    pub async fn own_token(&self, client: &Registered, scope: &str) -> String {
        let scope = scope.replace(' ', "+");
        let answer = self.form("/token", client, &format!("grant_type=client_credentials&scope={scope}")).await;
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    pub async fn root_token(&self) -> String {
        self.own_token(&self.root, ALL).await
    }

    /// A token that speaks for a user, at these resources.
    pub async fn user_token(&self, client: &Registered, user: &str, scope: &str, resource: &str) -> String {
        let id = client.client.id();
        let scope = scope.replace(' ', "+");
        let uri = format!(
            "/tenant/authorize?client_id={id}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&response_type=code\
             &scope={scope}&code_challenge={CHALLENGE}&code_challenge_method=S256{resource}"
        );
        let request = Request::get(uri).body(String::new()).unwrap();
        let Outcome::Interact { pending, .. } = self.server.handle(request).await else { panic!("not pending") };
        let approval = Approval::new(user.into(), self.server.now()).on_device("Lynx");
        let response = self.server.approve(*pending, approval).await.unwrap();
        let location = response.headers()["location"].to_str().unwrap();
        let code = location.split("code=").nth(1).unwrap().split('&').next().unwrap();
        let body = format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}");
        let answer = self.form("/token", client, &body).await;
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Calls an operation. Whatever it answers is held to the document.
    pub async fn call(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.call_with(token, method, path, body, &[]).await
    }

    pub async fn call_with(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let url = path.strip_prefix(BASE).unwrap_or(path);
        let mut request = Request::builder().method(method).uri(format!("/tenant/manage/v1{url}"));
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let response = self.send(request.body(body).unwrap()).await;
        let status = response.status().as_u16();
        assert_eq!(response.headers()["cache-control"], "no-store");
        let json = if response.body().is_empty() {
            Value::Null
        } else {
            serde_json::from_str(response.body()).unwrap_or_else(|_| panic!("{}", response.body()))
        };
        let answer = Answer { status, json, response };
        self.fits(method, url, &answer);
        answer
    }

    /// Whether the answer is one that the document has for this operation.
    fn fits(&self, method: &str, path: &str, answer: &Answer) {
        let path = path.split('?').next().unwrap();
        let like = |template: &str| {
            let (wanted, given): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
            wanted.len() == given.len()
                && wanted.iter().zip(&given).all(|(wanted, given)| wanted.starts_with('{') || wanted == given)
        };
        let paths = self.document["paths"].as_object().unwrap();
        // What is written out goes before what has a parameter.
        let found = paths
            .iter()
            .filter(|(template, _)| like(template))
            .min_by_key(|(template, _)| template.matches('{').count());
        let operation = found.map(|(_, path)| &path[method.to_lowercase()]).filter(|it| !it.is_null());
        let Some(operation) = operation else {
            return assert!(matches!(answer.status, 404 | 405), "{method} {path} is not in the document");
        };
        let responses = &operation["responses"];
        let described = match &responses[answer.status.to_string()] {
            Value::Null if answer.status >= 400 => &responses["default"],
            described => described,
        };
        assert!(!described.is_null(), "{method} {path} answers {}: {}", answer.status, answer.json);
        let Some(content) = described["content"].as_object() else {
            return assert!(answer.json.is_null() && answer.header("content-type").is_empty());
        };
        let (kind, content) = content.iter().next().unwrap();
        assert_eq!(answer.header("content-type"), kind);
        if let Err(wrong) = self.check(&content["schema"], &answer.json) {
            panic!("{method} {path}: {wrong} in {}", answer.json);
        }
    }

    /// Whether a value is of a schema, as far as the document uses JSON Schema.
    pub fn check(&self, schema: &Value, value: &Value) -> Result<(), String> {
        if let Some(name) = schema["$ref"].as_str() {
            return self.check(self.document.pointer(name.strip_prefix('#').unwrap()).unwrap(), value);
        }
        if let Some(choices) = schema["anyOf"].as_array() {
            let fits = choices.iter().any(|choice| self.check(choice, value).is_ok());
            return if fits { Ok(()) } else { Err(format!("{value} is none of {schema}")) };
        }
        if let Some(choices) = schema["enum"].as_array() {
            return if choices.contains(value) { Ok(()) } else { Err(format!("{value} is none of {schema}")) };
        }
        let kinds: Vec<&str> = match &schema["type"] {
            Value::String(kind) => vec![kind],
            Value::Array(kinds) => kinds.iter().map(|kind| kind.as_str().unwrap()).collect(),
            _ => panic!("{schema}"),
        };
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        if !kinds.contains(&kind) {
            return Err(format!("{value} is not {kinds:?}"));
        }
        for item in value.as_array().into_iter().flatten() {
            self.check(&schema["items"], item)?;
        }
        if let Some(fields) = value.as_object().filter(|_| schema["properties"].is_object()) {
            for needed in schema["required"].as_array().into_iter().flatten() {
                if !fields.contains_key(needed.as_str().unwrap()) {
                    return Err(format!("{needed} is missing"));
                }
            }
            for (name, value) in fields {
                let known = schema["properties"].get(name).ok_or_else(|| format!("{name} is not described"))?;
                self.check(known, value)?;
            }
        }
        Ok(())
    }
}

pub fn metadata(name: &str, scope: &str) -> ClientMetadata {
    ClientMetadata {
        client_name: name.into(),
        redirect_uris: vec!["https://app.example/cb".into()],
        grant_types: ["authorization_code", "refresh_token", "client_credentials"].map(str::to_owned).to_vec(),
        token_endpoint_auth_method: AuthMethod::ClientSecretPost,
        scope: scope.parse().unwrap(),
        ..ClientMetadata::default()
    }
}

/// The body that registers a client.
pub fn body(name: &str, scope: &str) -> Value {
    json!({
        "client_name": name,
        "redirect_uris": ["https://app.example/cb"],
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "client_secret_post",
        "scope": scope,
    })
}
