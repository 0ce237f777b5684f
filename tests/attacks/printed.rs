//! What is printed: `Debug` output, events and traces (id K-01).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor::clock::Timestamp;
use grantor::manage::Registration;
use grantor::pages::{ConsentView, ErrorView, FormPostView, Pages, PlainPages};
use grantor::secret::{Secret, SecretBytes};
use grantor::store::{Commit, MemoryStore, Store as _};
use grantor::{
    Approval, AuthorizationServer, ClientId, ExtensionGrant, ExtensionRequest, Host, Issue, Outcome, Require, SignIn,
    SignedIn, Site,
};
use http::Request;
use http::request::Parts;

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
        text.push_str(&format!("{value:?} {value:#?}"));
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

/// Types that hold no text of a request, no key and no token: numbers, words of ours, or what is registered and public.
const HARMLESS: &[&str] = &[
    "AccessTokenRevocation",
    "ApplicationType",
    "ApproveError",
    "AuthMethod",
    "AuthorizeError",
    "BasicError",
    "BearerError",
    "ChallengeError",
    "ClientError",
    "ClientFilter",
    "Committed",
    "Condition",
    "ConfigError",
    "Consent",
    "ConsentNeed",
    "Cursor",
    "Dead",
    "Durability",
    "EntropyError",
    "ErrorCode",
    "ExtensionRefusal",
    "Failed",
    "Failure",
    "FormError",
    "IntrospectError",
    "Issuer",
    "Kind",
    "Labels",
    "Lifetimes",
    "Limits",
    "Link",
    "Listing",
    "ManageError",
    "ManualClock",
    "MetadataError",
    "OmittedRedirectUri",
    "Order",
    "Owner",
    "Page",
    "Partition",
    "PlainPages",
    "Prompt",
    "Purged",
    "Query",
    "RedirectUriAtTokenEndpoint",
    "RedirectUriError",
    "RefreshRotation",
    "Refusal",
    "RequestError",
    "Require",
    "Resource",
    "ResourceDefinition",
    "ResponseMode",
    "ResumeError",
    "Revoked",
    "RevokeError",
    "Scope",
    "ScopeDefinition",
    "ScopeError",
    "State",
    "StoreError",
    "SystemClock",
    "SystemEntropy",
    "Tenant",
    "TokenError",
    "TokenKind",
    "UriError",
    "VerifierError",
    "VerifyError",
    "What",
    "Why",
    // Made of types that are shown: a client, and the number of its secret; a URI that is registered; an event, which is shown.
    "AuthenticatedClient",
    "EventCursor",
    "StoredEvent",
    "VerifiedRedirectUri",
];

/// The public types that the sources declare.
fn declared(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // The kit is for tests of stores, and sees no secret.
            if !path.ends_with("store/kit") {
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

#[tokio::test]
async fn k_01_no_public_type_prints_a_secret() {
    let shown = Shown::default();
    let grant_types = vec!["urn:example:shown".to_owned()];
    let (grant, pages) = (shown.clone(), shown.clone());
    let (world, spy) = Spy::world(|builder| builder.grant_type("urn:example:shown", grant).pages(pages)).await;
    let mut secrets: Vec<String> = [WEB, POSTER].iter().map(|client| client.secret.unwrap().to_owned()).collect();
    // The key of the server, and the digests of client secrets, which are good for guessing weak ones.
    secrets.extend(["7, 7, 7".to_owned(), "digest".to_owned()]);

    shown.add(&AuthorizationServer::builder(ISSUER).secret([7; 32]).store(MemoryStore::new()));
    shown.add(&world.server);
    shown.add(&Secret::new("secret-of-a-secret"));
    shown.add(&SecretBytes::new([7; 32]));
    secrets.push("secret-of-a-secret".into());

    // Clients and their secrets.
    let taker = Known { id: "taker", secret: Some("taker-secret-taker-secret"), ..WEB };
    secrets.push(taker.secret.unwrap().into());
    let metadata = grantor::client::ClientMetadata { grant_types, ..metadata(WEB) };
    let registration = Registration {
        metadata: metadata.clone(),
        client_id: Some(taker.id.into()),
        client_secret: taker.secret.map(Secret::new),
    };
    shown.add(&registration);
    shown.add(&metadata);
    let clients = world.server.clients();
    shown.add(&clients);
    let registered = clients.register(registration).await.unwrap();
    shown.add(&registered);
    shown.add(&*registered.client);
    let new = clients.add_secret(&taker.id.into(), "label", Timestamp::NEVER).await.unwrap();
    secrets.push(new.secret.expose().to_owned());
    shown.add(&new);
    shown.add(&clients.secrets(&taker.id.into()).await.unwrap()[0]);
    shown.add(&clients.list(&grantor::manage::ClientFilter::default(), None, 10).await.unwrap());
    shown.add(&ClientId::from(taker.id));

    // A flow by the pages: to the sign-in, to the consent, to the client, by a form too.
    let site = Site::new(world.server.clone(), shown.clone());
    shown.add(&site);
    let uri = |mode: &str| {
        let request = changed(&world.valid_request(WEB), &[("response_mode", mode), ("scope", "read write admin")]);
        format!("/authorize?{}", encode(&request))
    };
    let browse =
        |uri: String| Request::get(uri).header("cookie", "session=cookie-of-the-host").body(String::new()).unwrap();
    secrets.push("cookie-of-the-host".into());
    site.handle(Request::get(uri("query")).body(String::new()).unwrap()).await.unwrap();
    let page = Answer::of(site.handle(browse(uri("form_post"))).await.unwrap());
    let field = |name: &str| {
        let after = page.body.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
        after.split('"').next().unwrap().to_owned()
    };
    let cookie = page.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    secrets.extend([field("csrf"), cookie.split_once('=').unwrap().1.to_owned()]);
    let (handle, csrf) = (field("handle"), field("csrf"));
    let decision = [("handle", handle.as_str()), ("csrf", csrf.as_str()), ("decision", "allow"), ("scope", "read")];
    let mut decide = post("/authorize/interaction", &decision);
    let action = page.body.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
    *decide.uri_mut() = action.strip_prefix(ISSUER).unwrap_or(action).parse().unwrap();
    for (name, value) in [("cookie", cookie.as_str()), ("origin", ISSUER)] {
        decide.headers_mut().insert(name, value.parse().unwrap());
    }
    let sent = Answer::of(site.handle(decide).await.unwrap());
    let code = sent.body.split("gac_").nth(1).map(|rest| format!("gac_{}", &rest[..51])).expect("a code in a form");
    secrets.push(code.clone());

    let refused = without(&world.valid_request(WEB), "client_id");
    world.authorize(&refused).await.local();

    // A flow by hand.
    let request =
        Request::get(uri("query")).header("cookie", "session=cookie-of-the-host").body(String::new()).unwrap();
    let outcome = world.server.handle(request).await;
    shown.add(&outcome);
    let Outcome::Interact { pending, .. } = outcome else { panic!("expected a question") };
    shown.add(&*pending);
    let suspended = world.server.suspend(*pending, None).unwrap();
    let cookie = suspended.set_cookie.as_ref().unwrap().to_str().unwrap().split(['=', ';']).nth(1).unwrap().to_owned();
    secrets.extend([suspended.csrf.clone(), cookie, suspended.handle.clone()]);
    shown.add(&suspended);
    let approval = Approval::new("alice".into(), START);
    shown.add(&approval);
    let not_ours = Request::post("/elsewhere").header("authorization", basic(WEB.id, WEB.secret.unwrap()));
    shown.add(&world.server.handle(not_ours.body(WEB.secret.unwrap().to_owned()).unwrap()).await);
    secrets.push(basic(WEB.id, WEB.secret.unwrap()).split_once(' ').unwrap().1.to_owned());
    let exchange = [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", VERIFIER)];
    let outcome = world.server.handle(post_as(WEB, "/token", &exchange)).await;
    shown.add(&outcome);
    let Outcome::Respond(response) = outcome else { panic!("expected an answer") };
    let (access, refresh) = Answer::of(response).tokens();
    let (newer, newest) = world.refresh(WEB, &refresh).await.tokens();
    secrets.extend([VERIFIER.to_owned(), access.clone(), refresh.clone(), newer, newest]);
    let taken = [("grant_type", "urn:example:shown"), ("ticket", "ticket-of-the-host")];
    secrets.push("ticket-of-the-host".into());
    secrets.push(world.token(taker, &taken).await.field("access_token"));

    // What a resource server has, and what hosts list.
    shown.add(&world.server.verify(&access, Require::any()).await.unwrap());
    let presented = Request::get("/").header("authorization", format!("Bearer {refresh}")).body(()).unwrap();
    shown.add(&world.server.check(&presented, Require::any()).await.unwrap_err());
    let (alice, grants) = ("alice".into(), world.server.grants());
    shown.add(&grants);
    shown.add(&world.server.subjects());
    let found = grants.of(&alice, None, 10).await.unwrap();
    shown.add(&found.items[0]);
    shown.add(&found.items[0].id);
    shown.add(&alice);
    shown.add(&grants.apps(&alice, None, 10).await.unwrap().items[0]);
    shown.add(&shown.signed_in(&browse("/".into()).into_parts().0).await.unwrap());

    // What passes through a store, and through an observer.
    let work = spy.work();
    for record in world.dump() {
        shown.add(&*record);
        shown.add(&record.payload);
        shown.add(&record.key);
        if let Some(used) = &record.used {
            shown.add(&**used);
        }
        shown.add(&world.store.load(&[record.key]).await.unwrap().pop().flatten().unwrap());
    }
    for commit in &work.commits {
        shown.add::<Commit>(commit);
        commit.writes.iter().for_each(|write| shown.add(write));
    }
    shown.add(&*world.store);
    world.take_events().iter().for_each(|event| shown.add(event));
    shown.add(&world.now());

    // What reads the wire and writes it.
    let header = basic(WEB.id, "p%40ss-word-of-a-client");
    shown.add(&grantor::wire::basic::BasicCredentials::parse(header.as_bytes()).unwrap().unwrap());
    secrets.extend(["p%40ss-word", "p@ss-word"].map(str::to_owned));
    let mut json = grantor::wire::json::JsonObject::new();
    json.text("access_token", &access);
    shown.add(&json);
    shown.add(&grantor::wire::bearer::BearerChallenge::new());
    shown.add(&grantor::wire::pkce::CodeChallenge::parse(CHALLENGE, Some("S256")).unwrap());

    let shown = shown.0.lock().unwrap();
    for (name, text) in shown.iter() {
        for secret in &secrets {
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
    let seen: BTreeSet<String> = shown.keys().cloned().chain(HARMLESS.iter().map(|name| (*name).to_owned())).collect();
    let missing: Vec<_> = names.difference(&seen).collect();
    assert!(missing.is_empty(), "show these, or say why they are harmless: {missing:?}");
    let stale: Vec<_> = HARMLESS.iter().filter(|name| !names.contains(**name)).collect();
    assert!(stale.is_empty(), "there are no such types: {stale:?}");
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
    // For the whole process: with one subscriber for one thread, an event that another thread meets first would be off for good.
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
