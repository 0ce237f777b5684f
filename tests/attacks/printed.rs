//! What is printed: `Debug` output, events and traces (id K-01).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor::clock::Timestamp;
use grantor::manage::{NewPersonalToken, Registration};
use grantor::pages::{
    ConsentView, DeviceCodeView, DeviceConsentView, DeviceDoneView, ErrorView, FormPostView, Pages, PlainPages,
};
use grantor::secret::{Secret, SecretBytes};
use grantor::store::{MemoryStore, Store as _};
use grantor::{
    Approval, AuthorizationServer, Claim, ClientAuthentication, ClientAuthenticationRequest, ClientId, ExtensionGrant,
    ExtensionRequest, Host, Issue, Outcome, Require, SignIn, SignedIn, Site,
};
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;

use crate::device::{TV, register_devices, start, with_devices};
use crate::harness::*;
use crate::spy::{Fault, Spy, at_once};

/// What was printed of values, by the name of their type.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<BTreeMap<String, String>>>);

impl Shown {
    fn add<T: std::fmt::Debug>(&self, value: &T) {
        let whole = std::any::type_name::<T>();
        let path = whole.split('<').next().unwrap().trim_start_matches('&');
        let name = path.rsplit("::").next().unwrap().to_owned();
        let mut shown = self.0.lock().unwrap();
        let text = shown.entry(name).or_default();
        write!(text, "{value:?} {value:#?}").unwrap();
    }
}

impl Pages for Shown {
    fn consent(&self, view: &ConsentView<'_>) -> String {
        self.add(view);
        PlainPages::new().consent(view)
    }

    fn error(&self, view: &ErrorView<'_>) -> String {
        self.add(view);
        PlainPages::new().error(view)
    }

    fn form_post(&self, view: &FormPostView<'_>) -> String {
        self.add(view);
        PlainPages::new().form_post(view)
    }

    fn device_code(&self, view: &DeviceCodeView<'_>) -> String {
        self.add(view);
        PlainPages::new().device_code(view)
    }

    fn device_consent(&self, view: &DeviceConsentView<'_>) -> String {
        self.add(view);
        PlainPages::new().device_consent(view)
    }

    fn device_done(&self, view: &DeviceDoneView<'_>) -> String {
        self.add(view);
        PlainPages::new().device_done(view)
    }

    fn sources(&self) -> String {
        PlainPages::new().sources()
    }
}

#[async_trait]
impl Host for Shown {
    async fn signed_in(&self, request: &Parts) -> Option<SignedIn> {
        request.headers.contains_key("cookie").then(|| SignedIn::new("alice", START))
    }

    fn sign_in_url(&self, sign_in: &SignIn<'_>) -> String {
        self.add(sign_in);
        sign_in.at("/sign-in")
    }
}

#[async_trait]
impl ExtensionGrant for Shown {
    async fn decide(&self, request: ExtensionRequest<'_>) -> Result<Issue, grantor::refusal::ExtensionRefusal> {
        self.add(&request);
        self.add(request.parameters);
        let (scope, resources) = ("read".parse().unwrap(), Vec::new());
        let issue = Issue { subject: "alice".into(), scope, resources, refresh_token: false };
        self.add(&issue);
        Ok(issue)
    }
}

#[async_trait]
impl ClientAuthentication for Shown {
    async fn authenticate(&self, request: ClientAuthenticationRequest<'_>) -> Claim {
        self.add(&request);
        Claim::Absent
    }
}

/// Types that hold no text of a request, no key and no token: numbers, words of ours, or what is registered and public.
const HARMLESS: &[&str] = &[
    "AccessTokenRevocation",
    "Action",
    "Activity",
    "Actor",
    "AnyToken",
    "ApplicationType",
    "ApproveError",
    "AuthMethod",
    "AuthenticatedClient",
    "AuthorizeError",
    "BasicError",
    "Bearer",
    "BearerError",
    "BusyClient",
    "By",
    "CacheOptions",
    "CachingStore",
    "Caller",
    "ChainHead",
    "ChainVerdict",
    "ChallengeError",
    "Claim",
    "ClientError",
    "ClientFilter",
    "ClientIdMetadata",
    "Committed",
    "Condition",
    "ConfigError",
    "Consent",
    "ConsentNeed",
    "Count",
    "Cursor",
    "DayCount",
    "Dead",
    "DeviceAuthorization",
    "DeviceAuthorizationError",
    "DeviceDecision",
    "DiscoveryError",
    "DocumentError",
    "DumpReader",
    "Durability",
    "DynamicRegistration",
    "EncryptingStore",
    "EntropyError",
    "ErrorCode",
    "EventCursor",
    "Export",
    "ExtensionRefusal",
    "Failed",
    "Failure",
    "FetchError",
    "FetchRequest",
    "Fetched",
    "FormError",
    "HttpsFetch",
    "HttpsTransport",
    "Import",
    "Imported",
    "InitialAccessToken",
    "IntrospectError",
    "Issuer",
    "Kind",
    "Labels",
    "Lifetimes",
    "Limited",
    "Limits",
    "Link",
    "Listing",
    "ManageError",
    "ManagementApi",
    "ManualClock",
    "MemoryRateLimit",
    "MetadataError",
    "Migration",
    "NewInitialAccessToken",
    "NewPersonalToken",
    "NotAnObject",
    "NotFound",
    "OmittedRedirectUri",
    "Order",
    "Origin",
    "Owner",
    "Page",
    "Partition",
    "PeerAddress",
    "PersonalTokens",
    "PlainPages",
    "PostgresOptions",
    "PostgresStore",
    "Preset",
    "Prompt",
    "Protected",
    "ProtectedResource",
    "Purged",
    "PurgedUnused",
    "Query",
    "Rate",
    "RedirectUriAtTokenEndpoint",
    "RedirectUriError",
    "RedisFsync",
    "RedisLoss",
    "RedisStore",
    "RefreshRotation",
    "Refusal",
    "RegisteredBy",
    "RegistrationError",
    "RegistrationRefusal",
    "RegistrationRequest",
    "Registrations",
    "RememberedConsent",
    "RequestError",
    "Require",
    "Resealed",
    "Resource",
    "ResourceDefinition",
    "ResponseMode",
    "ResumeError",
    "RevokeError",
    "Revoked",
    "ScanCursor",
    "Scanned",
    "Scope",
    "ScopeDefinition",
    "ScopeError",
    "SiteService",
    "SqliteOptions",
    "SqliteReads",
    "SqliteStore",
    "State",
    "StoreError",
    "StoredEvent",
    "Sweep",
    "SystemClock",
    "SystemEntropy",
    "Tenant",
    "TokenError",
    "TokenKind",
    "TooLong",
    "TooMany",
    "TransferError",
    "TransportError",
    "UriError",
    "Usage",
    "UserCodeError",
    "VerifiedRedirectUri",
    "VerifierError",
    "VerifyError",
    "What",
    "Why",
];

/// What the pages of the console are given. Secrets among it, and what protects its forms, are a [`Secret`], which is shown
/// by itself; all else is on the page of whoever may see it.
const CONSOLE: &[&str] = &[
    "ActivityPage",
    "AppCard",
    "AppsPage",
    "BusyRow",
    "Choice",
    "ClientFormPage",
    "ClientListPage",
    "ClientPage",
    "ClientRow",
    "Column",
    "ConfirmPage",
    "Console",
    "Figure",
    "FindPersonPage",
    "Frame",
    "MessagePage",
    "Moment",
    "NavItem",
    "PersonRow",
    "Problem",
    "ProgressPage",
    "SecretFormPage",
    "SecretRow",
    "SessionRow",
    "ShownOncePage",
    "Text",
    "TokenFormPage",
    "TokenListPage",
    "TokenRow",
    "Value",
    "ZoneRow",
];

/// The public types that the sources declare.
fn declared(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // The kit is for tests of stores, and sees no secret; what `testing` makes is worth nothing outside a test.
            if !path.ends_with("store/kit") && !path.ends_with("src/testing") {
                declared(&path, names);
            }
            continue;
        }
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let line = line.trim_start();
            let Some(rest) = ["pub struct ", "pub enum "].iter().find_map(|word| line.strip_prefix(word)) else {
                continue;
            };
            let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            if !name.is_empty() {
                names.insert(name);
            }
        }
    }
    names.extend(["ClientId", "Subject", "GrantId"].map(str::to_owned));
}

const TAKER: Known = Known { id: "taker", secret: Some("taker-secret-taker-secret"), ..WEB };
const HOST_COOKIE: &str = "cookie-of-the-host";

/// A world in which everything that is handed out is shown, and what must not be seen in that.
struct Stage {
    world: World,
    spy: Arc<Spy>,
    shown: Shown,
    secrets: Vec<String>,
}

impl Stage {
    async fn new() -> Self {
        let shown = Shown::default();
        let (grant, pages, method) = (shown.clone(), shown.clone(), shown.clone());
        let (world, spy) = Spy::world(|builder| {
            builder.grant_type("urn:example:shown", grant).pages(pages).client_authentication("shown", method)
        })
        .await;
        shown.add(&AuthorizationServer::builder(ISSUER).secret([7; 32]).store(MemoryStore::new()));
        shown.add(&world.server);
        shown.add(&Secret::new("secret-of-a-secret"));
        shown.add(&SecretBytes::new([7; 32]));
        // Among them the key of the server, and the digests of client secrets, which are good for guessing weak ones.
        let secrets = ["secret-of-a-secret", "7, 7, 7", "digest", HOST_COOKIE, VERIFIER, "ticket-of-the-host"];
        let of_clients = [WEB, POSTER, TAKER].into_iter().filter_map(|client| client.secret);
        let secrets = secrets.into_iter().chain(of_clients).map(str::to_owned).collect();
        Self { world, spy, shown, secrets }
    }

    /// Clients and their secrets.
    async fn clients(&mut self) {
        let grant_types = vec!["urn:example:shown".to_owned()];
        let metadata = grantor::client::ClientMetadata { grant_types, ..metadata(WEB) };
        self.shown.add(&metadata);
        let registration =
            Registration { metadata, client_id: Some(TAKER.id.into()), client_secret: TAKER.secret.map(Secret::new) };
        self.shown.add(&registration);
        let clients = self.world.server.clients();
        self.shown.add(&clients);
        let registered = clients.register(registration).await.unwrap();
        self.shown.add(&registered);
        self.shown.add(&*registered.client);
        let made = clients.add_secret(&TAKER.id.into(), "label", Timestamp::NEVER).await.unwrap();
        self.secrets.push(made.secret.expose().to_owned());
        self.shown.add(&made);
        self.shown.add(&clients.secrets(&TAKER.id.into()).await.unwrap()[0]);
        self.shown.add(&clients.list(&grantor::manage::ClientFilter::default(), None, 10).await.unwrap());
        self.shown.add(&ClientId::from(TAKER.id));
        let tokens = self.world.server.personal_tokens();
        let (name, scope) = ("script".to_owned(), "read".parse().unwrap());
        let new = NewPersonalToken { name, scope, lifetime: Duration::from_secs(60), resources: Vec::new() };
        let made = tokens.create(&"alice".into(), new).await.unwrap();
        self.secrets.push(made.token.expose().to_owned());
        self.shown.add(&made);
    }

    fn browse(&self, mode: &str) -> Request<String> {
        let changes = [("response_mode", mode), ("scope", "read write admin")];
        let uri = format!("/authorize?{}", encode(&changed(&self.world.valid_request(WEB), &changes)));
        Request::get(uri).header("cookie", format!("session={HOST_COOKIE}")).body(String::new()).unwrap()
    }

    /// A flow by the pages: to the sign-in, to the consent, and to the client by a form. The code that it ends with.
    async fn pages(&mut self) -> String {
        let site = Site::new(self.world.server.clone(), self.shown.clone());
        self.shown.add(&site);
        let mut stranger = self.browse("query");
        stranger.headers_mut().remove("cookie");
        site.handle(stranger).await.unwrap();
        let page = Answer::of(site.handle(self.browse("form_post")).await.unwrap());
        let field = |name: &str| {
            let after = page.body.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
            after.split('"').next().unwrap().to_owned()
        };
        let (handle, csrf) = (field("handle"), field("csrf"));
        let cookie = page.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let decision = [("handle", handle.as_str()), ("csrf", &csrf), ("decision", "allow"), ("scope", "read")];
        let action = page.body.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
        let mut decide = post(action.strip_prefix(ISSUER).unwrap_or(action), &decision);
        for (name, value) in [("cookie", cookie.as_str()), ("origin", ISSUER)] {
            decide.headers_mut().insert(name, value.parse().unwrap());
        }
        let sent = Answer::of(site.handle(decide).await.unwrap());
        let code = sent.body.split("gac_").nth(1).map(|rest| format!("gac_{}", &rest[..51])).expect("a code in a form");
        self.secrets.extend([csrf, cookie.split_once('=').unwrap().1.to_owned(), code.clone()]);
        self.world.authorize(&without(&self.world.valid_request(WEB), "client_id")).await.local();
        self.shown.add(&self.shown.signed_in(&self.browse("query").into_parts().0).await.unwrap());
        code
    }

    /// A device, its pages, and what a host without our pages has in its hands.
    async fn devices(&mut self) {
        let shown = self.shown.clone();
        let world = World::with(|builder| with_devices(builder).pages(shown)).await;
        register_devices(&world).await;
        let site = Site::new(world.server.clone(), self.shown.clone());
        let (one, other) = (start(&world, TV).await, start(&world, TV).await);
        let open = |query: &str| {
            let request = Request::get(format!("/device{query}")).header("cookie", "session=1");
            request.body(String::new()).unwrap()
        };
        site.handle(open("")).await.unwrap();
        let page = Answer::of(site.handle(open(&format!("?user_code={}", one.user_code))).await.unwrap());
        let field = |name: &str| {
            let after = page.body.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
            after.split('"').next().unwrap().to_owned()
        };
        let (handle, csrf) = (field("handle"), field("csrf"));
        let cookie = page.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let decision = [("handle", handle.as_str()), ("csrf", &csrf), ("decision", "allow"), ("scope", "read")];
        let mut decide = post("/device", &decision);
        decide.headers_mut().insert("cookie", cookie.parse().unwrap());
        let done = Answer::of(site.handle(decide).await.unwrap());
        assert!(done.body.contains("connected"), "{}", done.body);
        let pending = world.server.find_device(&other.user_code, &"alice".into(), None).await.unwrap();
        self.shown.add(&pending);
        self.shown.add(pending.user_code());
        self.shown.add(&grantor::qr::QrCode::of(&other.user_code).unwrap());
        for waiting in [one, other] {
            let letters = waiting.user_code.replace('-', "");
            self.secrets.extend([waiting.device_code, waiting.user_code, letters]);
        }
        self.secrets.extend([handle, csrf, cookie.split_once('=').unwrap().1.to_owned()]);
    }

    /// What a host without our pages has in its hands.
    async fn interaction(&mut self) {
        let server = &self.world.server;
        let asked = server.handle(self.browse("query")).await;
        self.shown.add(&asked);
        let Outcome::Interact { pending, .. } = asked else { panic!("expected a question") };
        self.shown.add(&*pending);
        let suspended = server.suspend(*pending, None).unwrap();
        self.shown.add(&suspended);
        let cookie = suspended.set_cookie.as_ref().unwrap().to_str().unwrap().split(['=', ';']).nth(1).unwrap();
        self.secrets.extend([suspended.csrf.clone(), cookie.to_owned(), suspended.handle.clone()]);
        self.shown.add(&Approval::new("alice".into(), START));
        let header = basic(WEB.id, WEB.secret.unwrap());
        let elsewhere = Request::post("/elsewhere").header("authorization", &header);
        self.shown.add(&server.handle(elsewhere.body(WEB.secret.unwrap().to_owned()).unwrap()).await);
        self.secrets.push(header.split_once(' ').unwrap().1.to_owned());
    }

    /// Tokens, what a resource server has of them, and what hosts list.
    async fn tokens(&mut self, code: &str) {
        let exchange = [("grant_type", "authorization_code"), ("code", code), ("code_verifier", VERIFIER)];
        let answered = self.world.server.handle(post_as(WEB, "/token", &exchange)).await;
        self.shown.add(&answered);
        let Outcome::Respond(response) = answered else { panic!("expected an answer") };
        let (access, refresh) = Answer::of(response).tokens();
        let (newer, newest) = self.world.refresh(WEB, &refresh).await.tokens();
        let ticket = [("grant_type", "urn:example:shown"), ("ticket", "ticket-of-the-host")];
        self.secrets.push(self.world.token(TAKER, &ticket).await.field("access_token"));

        let server = &self.world.server;
        self.shown.add(&server.verify(&access, Require::any()).await.unwrap());
        let presented = Request::get("/").header("authorization", format!("Bearer {refresh}")).body(()).unwrap();
        self.shown.add(&server.check(&presented, Require::any()).await.unwrap_err());
        let (alice, grants) = ("alice".into(), server.grants());
        self.shown.add(&grants);
        self.shown.add(&server.subjects());
        let found = grants.of(&alice, None, 10).await.unwrap();
        self.shown.add(&found.items[0]);
        self.shown.add(&found.items[0].id);
        self.shown.add(&alice);
        self.shown.add(&grants.apps(&alice, None, 10).await.unwrap().items[0]);
        let mut json = grantor::wire::json::JsonObject::new();
        json.text("access_token", &access);
        self.shown.add(&json);
        self.secrets.extend([access, refresh, newer, newest]);
    }

    /// What holds keys and passwords of the host.
    fn keys(&mut self) {
        let key = [0xa7; 32];
        self.secrets.push(format!("{key:?}").trim_matches(['[', ']']).to_owned());
        self.secrets.push("hunter2-hunter2".into());
        self.shown.add(&grantor::WholeBody::new("hunter2-hunter2"));
        self.shown.add(&grantor::store::KeyRing::new(1, SecretBytes::new(key)).with(2, SecretBytes::new(key)));
        let tenant = grantor::store::Tenant::of_issuer(ISSUER);
        self.shown.add(&grantor::store::EventChain::new(tenant).with_key(SecretBytes::new(key)));
        let (endpoint, way) = ("https://auth.example.com/introspect", crate::elsewhere::Way::to(&self.world));
        let introspection = grantor::resource::Introspection::at(endpoint, "api", "hunter2-hunter2", way);
        self.shown.add(&introspection.unwrap());
        self.secrets.push("YXBpOmh1bnRlcjItaHVudGVyMg==".into());
        let seed = "redis://user:hunter2-hunter2@localhost";
        self.shown.add(&grantor::store::RedisOptions::new().node(seed));
    }

    /// What passes through a store, through an observer, and over the wire.
    async fn records(&mut self) {
        for commit in &self.spy.work().commits {
            self.shown.add(commit);
            commit.writes.iter().for_each(|write| self.shown.add(write));
        }
        for record in self.world.dump() {
            self.shown.add(&*record);
            self.shown.add(&record.payload);
            self.shown.add(&record.key);
            if let Some(used) = &record.used {
                self.shown.add(&**used);
            }
            self.shown.add(&self.world.store.load(&[record.key]).await.unwrap().pop().flatten().unwrap());
        }
        self.shown.add(&*self.world.store);
        self.world.take_events().iter().for_each(|event| self.shown.add(event));
        self.shown.add(&self.world.now());
        let header = basic(WEB.id, "p%40ss-word-of-a-client");
        self.shown.add(&grantor::wire::basic::BasicCredentials::parse(header.as_bytes()).unwrap().unwrap());
        let engine = self.world.server.engine();
        let form = "application/x-www-form-urlencoded".parse().unwrap();
        let headers = [(AUTHORIZATION, header.parse().unwrap()), (CONTENT_TYPE, form)].into_iter().collect();
        self.shown.add(&engine.parse(&headers, b"code=hunter2-hunter2").await.unwrap());
        self.shown.add(&engine);
        self.secrets.extend(["p%40ss-word", "p@ss-word"].map(str::to_owned));
        self.shown.add(&grantor::wire::bearer::BearerChallenge::new());
        self.shown.add(&grantor::wire::pkce::CodeChallenge::parse(CHALLENGE, Some("S256")).unwrap());
    }
}

#[tokio::test]
async fn k_01_no_public_type_prints_a_secret() {
    let mut stage = Stage::new().await;
    stage.clients().await;
    let code = stage.pages().await;
    stage.interaction().await;
    stage.devices().await;
    stage.tokens(&code).await;
    stage.records().await;
    stage.keys();

    let shown = stage.shown.0.lock().unwrap();
    for (name, text) in shown.iter() {
        for secret in &stage.secrets {
            assert!(!text.contains(secret.as_str()), "{name} prints {secret}");
            let random = secret.get(4..).and_then(|body| URL_SAFE_NO_PAD.decode(body).ok());
            if let Some(random) = random.filter(|random| random.len() == 38) {
                let bytes = format!("{:?}", &random[..32]);
                assert!(!text.contains(bytes.trim_matches(['[', ']'])), "{name} prints the bytes of {secret}");
            }
        }
    }
    // Each type that the crate declares was either shown or named as harmless.
    let mut names = BTreeSet::new();
    declared(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut names);
    let harmless = || HARMLESS.iter().chain(CONSOLE);
    let known: BTreeSet<String> = shown.keys().cloned().chain(harmless().map(|name| (*name).to_owned())).collect();
    let missing: Vec<_> = names.difference(&known).collect();
    assert!(missing.is_empty(), "show these, or say why they are harmless: {missing:?}");
    let gone: Vec<_> = harmless().filter(|name| !names.contains(**name)).collect();
    assert!(gone.is_empty(), "there are no such types: {gone:?}");
}

/// Where `tracing` output goes, as far as it comes from this thread.
#[derive(Clone)]
struct Lines(ThreadId, Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if std::thread::current().id() == self.0 {
            self.1.lock().unwrap().extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn k_01_no_event_or_trace_holds_a_secret() {
    use tracing_subscriber::fmt::format::FmtSpan;
    use tracing_subscriber::util::SubscriberInitExt as _;

    let lines = Lines(std::thread::current().id(), Arc::default());
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone());
    // For the whole process: with one subscriber for one thread, an event that another thread meets first would be off
    // for good.
    subscriber.finish().try_init().unwrap();

    let (world, spy) = Spy::world(|builder| builder).await;
    let mut secrets = Vec::new();
    for client in [WEB, POSTER, CLI, LEGACY] {
        secrets.extend(client.secret.map(str::to_owned));
        // What goes well.
        let code = world.valid_code(client).await;
        let (access, refresh) = world.redeem(client, &code).await.tokens();
        let (newer, newest) = world.refresh(client, &refresh).await.tokens();
        assert!(world.is_live(&newer).await);
        // What does not: wrong secrets, wrong verifiers, stolen, forged, spent and repeated tokens.
        let verifier = "wrong-verifier-wrong-verifier-wrong-verifier";
        let fresh = world.valid_code(client).await;
        let mut wrong =
            vec![("grant_type", "authorization_code"), ("code", fresh.as_str()), ("code_verifier", verifier)];
        world.token(client, &wrong).await.refused("invalid_grant");
        wrong.push(("scope", "\""));
        world.token(client, &wrong).await.refused("invalid_scope");
        for thief in [POSTER, CLI, API].into_iter().filter(|thief| *thief != client) {
            world.post_as(thief, "/revoke", &[("token", &access)]).await;
            world.redeem(thief, &fresh).await;
            world.refresh(thief, &newest).await;
        }
        let forged = reseal(&newest, "grt_", |raw| raw[3] ^= 1);
        world.refresh(client, &forged).await.refused("invalid_grant");
        let mut request = post("/token", &[("grant_type", "refresh_token"), ("refresh_token", &newest)]);
        let header = basic(client.id, "wrong-secret-wrong-secret");
        request.headers_mut().insert("authorization", header.parse().unwrap());
        world.send(request).await.answer().unauthenticated(true);
        let query = format!("/token?client_secret=secret-in-the-query&refresh_token={newest}");
        world.send(raw_post(&query, "")).await.answer();
        let presented = Request::get("/").header("authorization", format!("Bearer {forged}")).body(()).unwrap();
        world.server.check(&presented, Require::any()).await.unwrap_err();
        spy.fail_next(Fault::InDoubtAndApplied);
        at_once(
            &[&world],
            vec![post_as(client, "/token", &[("grant_type", "refresh_token"), ("refresh_token", &newest)])],
        )
        .await;
        world.advance(3600);
        let reuse = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        at_once(&[&world], vec![post_as(client, "/token", &reuse)]).await.remove(0).refused("invalid_grant");
        secrets.extend([code, access, refresh, newer, newest, fresh, forged, verifier.to_owned(), VERIFIER.to_owned()]);
        secrets.push(header.split_once(' ').unwrap().1.to_owned());
    }
    secrets.extend(["wrong-secret-wrong-secret", "secret-in-the-query"].map(str::to_owned));
    let rotated = world.server.clients().rotate_secret(&WEB.id.into(), "", Duration::ZERO).await.unwrap();
    secrets.push(rotated.secret.expose().to_owned());

    let traced = String::from_utf8(lines.1.lock().unwrap().clone()).unwrap();
    for told in ["oauth event", "replayed", "issued", "wrong_secret", "the store failed"] {
        assert!(traced.contains(told), "the trace does not tell of {told}: {traced}");
    }
    let events = world.take_events();
    assert!(events.len() > 50, "{}", events.len());
    let told = [traced, format!("{events:?}"), serde_json::to_string(&events).unwrap()];
    for secret in secrets {
        let forms = [secret.clone(), URL_SAFE_NO_PAD.encode(&secret), encode_value(&secret)];
        for form in &forms {
            assert!(told.iter().all(|text| !text.contains(form)), "{form} was told");
        }
    }
}
