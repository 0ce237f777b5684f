//! Everything that can be asked of a server, so that it can be dropped, failed and left in doubt at every step.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use grantor::clock::Timestamp;
use grantor::manage::{ClientFilter, ManageError};
use grantor::refusal::{ApproveError, ResumeError, UserCodeError, VerifyError};
use grantor::store::{Kind, Record};
use grantor::{
    Approval, AuthorizationServer, DeviceDecision, Failure, Host, Outcome, PendingAuthorization, Require, SignIn,
    SignedIn, Site,
};
use http::request::Parts;
use http::{HeaderMap, Request};

use crate::device::{PRINTER, Waiting, allow, polling, register_devices, start};
use crate::faulty::{living, of_kind};
use crate::harness::*;

/// What somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Authorize,
    Approve,
    ApproveAgainForAnotherScope,
    Deny,
    Resume,
    ConsentNeed,
    SiteAuthorize,
    SiteRemembered,
    SiteComeBack,
    SiteAllow,
    SiteDeny,
    Redeem,
    RedeemAtTheCap,
    ReplayCode,
    Refresh,
    RefreshAgain,
    ReplayRefresh,
    ClientCredentials,
    DeviceBegin,
    DevicePoll,
    DeviceApprove,
    DeviceDeny,
    DeviceRedeem,
    DeviceReplay,
    SiteDevice,
    SiteDeviceAllow,
    SiteDeviceDeny,
    RevokeAccess,
    RevokeRefresh,
    Introspect,
    IntrospectUnknown,
    Verify,
    Check,
    Register,
    GetClient,
    ListClients,
    UpdateClient,
    DeactivateClient,
    ActivateClient,
    DeleteClient,
    ListSecrets,
    AddSecret,
    RotateSecret,
    ExpireSecret,
    GrantsOf,
    GrantsTo,
    Apps,
    RevokeGrant,
    RemoveApp,
    DeactivateSubject,
    ActivateSubject,
    RevokeSubject,
    IsActive,
    Purge,
}

pub const EVERY_ACT: [Act; 54] = [
    Act::Authorize,
    Act::Approve,
    Act::ApproveAgainForAnotherScope,
    Act::Deny,
    Act::Resume,
    Act::ConsentNeed,
    Act::SiteAuthorize,
    Act::SiteRemembered,
    Act::SiteComeBack,
    Act::SiteAllow,
    Act::SiteDeny,
    Act::Redeem,
    Act::RedeemAtTheCap,
    Act::ReplayCode,
    Act::Refresh,
    Act::RefreshAgain,
    Act::ReplayRefresh,
    Act::ClientCredentials,
    Act::DeviceBegin,
    Act::DevicePoll,
    Act::DeviceApprove,
    Act::DeviceDeny,
    Act::DeviceRedeem,
    Act::DeviceReplay,
    Act::SiteDevice,
    Act::SiteDeviceAllow,
    Act::SiteDeviceDeny,
    Act::RevokeAccess,
    Act::RevokeRefresh,
    Act::Introspect,
    Act::IntrospectUnknown,
    Act::Verify,
    Act::Check,
    Act::Register,
    Act::GetClient,
    Act::ListClients,
    Act::UpdateClient,
    Act::DeactivateClient,
    Act::ActivateClient,
    Act::DeleteClient,
    Act::ListSecrets,
    Act::AddSecret,
    Act::RotateSecret,
    Act::ExpireSecret,
    Act::GrantsOf,
    Act::GrantsTo,
    Act::Apps,
    Act::RevokeGrant,
    Act::RemoveApp,
    Act::DeactivateSubject,
    Act::ActivateSubject,
    Act::RevokeSubject,
    Act::IsActive,
    Act::Purge,
];

/// How it ended.
#[derive(Debug, Clone)]
pub enum Ended {
    /// An answer to a browser or a client.
    Http(Answer),
    /// A call that did what it was asked.
    Done,
    /// A call that was refused, for a reason that lies with what was asked.
    Refused(String),
    /// A call that could not be done.
    Failed(Failure),
}

impl Ended {
    /// Whether it did what it was asked.
    pub fn is_done(&self) -> bool {
        match self {
            Self::Http(answer) => answer.status.is_success() || answer.status.is_redirection(),
            Self::Done => true,
            Self::Refused(_) | Self::Failed(_) => false,
        }
    }

    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Http(answer) => Some(answer),
            _ => None,
        }
    }
}

impl<T> From<Result<T, Failure>> for Ended {
    fn from(result: Result<T, Failure>) -> Self {
        result.map_or_else(Self::Failed, |_| Self::Done)
    }
}

impl<T> From<Result<T, ManageError>> for Ended {
    fn from(result: Result<T, ManageError>) -> Self {
        match result {
            Ok(_) => Self::Done,
            Err(ManageError::Failure(failure)) => Self::Failed(failure),
            Err(refused) => Self::Refused(format!("{refused:?}")),
        }
    }
}

impl From<Result<DeviceDecision, ApproveError>> for Ended {
    fn from(result: Result<DeviceDecision, ApproveError>) -> Self {
        match result {
            Ok(_) => Self::Done,
            Err(ApproveError::Failure(failure)) => Self::Failed(failure),
            Err(refused) => Self::Refused(format!("{refused:?}")),
        }
    }
}

impl From<Result<http::Response<String>, ApproveError>> for Ended {
    fn from(result: Result<http::Response<String>, ApproveError>) -> Self {
        match result {
            Ok(response) => Self::Http(Answer::of(response)),
            Err(ApproveError::Failure(failure)) => Self::Failed(failure),
            Err(refused) => Self::Refused(format!("{refused:?}")),
        }
    }
}

impl From<Result<PendingAuthorization, ResumeError>> for Ended {
    fn from(result: Result<PendingAuthorization, ResumeError>) -> Self {
        match result {
            Ok(_) => Self::Done,
            Err(ResumeError::Failure(failure)) => Self::Failed(failure),
            Err(refused) => Self::Refused(format!("{refused:?}")),
        }
    }
}

/// Alice is signed in, in every browser.
pub struct AliceIsIn;

#[async_trait]
impl Host for AliceIsIn {
    async fn signed_in(&self, _: &Parts) -> Option<SignedIn> {
        Some(SignedIn { subject: "alice".into(), name: "Alice".into(), authenticated_at: START })
    }

    fn sign_in_url(&self, sign_in: &SignIn<'_>) -> String {
        format!("https://login.example/?to={}", encode_value(sign_in.return_to))
    }
}

/// An act that is ready to be done, more than once.
pub type Ready = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Ended> + Send>> + Send + Sync>;

fn ready<F>(act: impl Fn() -> F + Send + Sync + 'static) -> Ready
where
    F: Future<Output = Ended> + Send + 'static,
{
    Box::new(move || Box::pin(act()))
}

/// A call on the server.
fn call<F>(world: &World, act: impl Fn(AuthorizationServer) -> F + Send + Sync + 'static) -> Ready
where
    F: Future<Output = Ended> + Send + 'static,
{
    let server = world.server.clone();
    ready(move || act(server.clone()))
}

/// A request to an endpoint.
fn request(world: &World, request: Request<String>) -> Ready {
    call(world, move |server| {
        let request = request.clone();
        async move {
            match server.handle(request).await {
                Outcome::Respond(response) => Ended::Http(Answer::of(response)),
                Outcome::Interact { .. } => Ended::Done,
                Outcome::NotMine(_) => panic!("an endpoint of ours"),
            }
        }
    })
}

/// A request to the site.
fn visit(world: &World, request: Request<String>) -> Ready {
    let site = Site::new(world.server.clone(), AliceIsIn);
    ready(move || {
        let (site, request) = (site.clone(), request.clone());
        async move { Ended::Http(Answer::of(site.handle(request).await.expect("an endpoint of ours"))) }
    })
}

fn authorization(world: &World, client: Known) -> Request<String> {
    let uri = format!("/authorize?{}", encode(&world.valid_request(client)));
    Request::get(uri).body(String::new()).unwrap()
}

/// The text between these, in a page.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap().0
}

/// The form of a page that this request opens, sent back by the same browser with a decision.
async fn decide_on_page(world: &World, open: Request<String>, action: &str, decision: &str) -> Request<String> {
    let site = Site::new(world.server.clone(), AliceIsIn);
    let page = Answer::of(site.handle(open).await.unwrap());
    let field = |name: &str| between(&page.body, &format!("name=\"{name}\" value=\""), "\"").to_owned();
    let cookie = page.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let (handle, csrf) = (field("handle"), field("csrf"));
    let form = [("handle", &*handle), ("csrf", &csrf), ("decision", decision), ("scope", "read"), ("scope", "write")];
    let mut request = post(action, &form);
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    request
}

/// A decision on the consent page, by the browser that was shown it.
async fn decision(world: &World, decision: &str) -> Request<String> {
    decide_on_page(world, authorization(world, WEB), "/interaction", decision).await
}

/// The same about a device that shows this code.
async fn decision_on_device(world: &World, user_code: &str, decision: &str) -> Request<String> {
    let open = Request::get(format!("/device?user_code={user_code}")).body(String::new()).unwrap();
    decide_on_page(world, open, "/device", decision).await
}

/// A handle and the cookie that belongs to it.
async fn suspended(world: &World) -> (String, HeaderMap) {
    let pending = world.authorize(&world.valid_request(WEB)).await.pending();
    let suspended = world.server.suspend(*pending, Some(&"alice".into())).unwrap();
    let cookie = suspended.set_cookie.unwrap().to_str().unwrap().split(';').next().unwrap().to_owned();
    let mut headers = HeaderMap::new();
    headers.insert("cookie", cookie.parse().unwrap());
    (suspended.handle, headers)
}

impl Act {
    /// Sets the stage, and gets the act ready to be done.
    pub async fn prepare(self, world: &World) -> Ready {
        // Something is there in any case: a grant of alice, and bob's.
        let (access, refresh) = world.tokens(WEB).await;
        world.code(&world.valid_request(POSTER), "bob").await;
        match self {
            Self::Authorize
            | Self::Approve
            | Self::ApproveAgainForAnotherScope
            | Self::Deny
            | Self::Resume
            | Self::ConsentNeed
            | Self::SiteAuthorize
            | Self::SiteRemembered
            | Self::SiteComeBack
            | Self::SiteAllow
            | Self::SiteDeny => self.prepare_interaction(world).await,
            Self::Redeem
            | Self::RedeemAtTheCap
            | Self::ReplayCode
            | Self::Refresh
            | Self::RefreshAgain
            | Self::ReplayRefresh
            | Self::ClientCredentials
            | Self::RevokeAccess
            | Self::RevokeRefresh
            | Self::Introspect
            | Self::IntrospectUnknown
            | Self::Verify
            | Self::Check => self.prepare_token(world, access, refresh).await,
            Self::DeviceBegin
            | Self::DevicePoll
            | Self::DeviceApprove
            | Self::DeviceDeny
            | Self::DeviceRedeem
            | Self::DeviceReplay
            | Self::SiteDevice
            | Self::SiteDeviceAllow
            | Self::SiteDeviceDeny => self.prepare_device(world).await,
            _ => self.prepare_management(world).await,
        }
    }

    async fn prepare_interaction(self, world: &World) -> Ready {
        let now = world.now();
        let approval = move || Approval::new("alice".into(), now);
        match self {
            Self::Authorize => request(world, authorization(world, WEB)),
            Self::Approve | Self::Deny | Self::ApproveAgainForAnotherScope => {
                let (handle, headers) = suspended(world).await;
                call(world, move |server| {
                    let (handle, headers) = (handle.clone(), headers.clone());
                    async move {
                        let pending = match server.resume(&handle, &headers).await {
                            Ok(pending) => pending,
                            Err(error) => return Ended::from(Err::<PendingAuthorization, _>(error)),
                        };
                        match self {
                            Self::Deny => server.deny(pending, None).await.into(),
                            Self::Approve => server.approve(pending, approval()).await.into(),
                            _ => {
                                let approval = approval().with_scope("read".parse().unwrap());
                                server.approve(pending, approval).await.into()
                            }
                        }
                    }
                })
            }
            Self::Resume => {
                let (handle, headers) = suspended(world).await;
                call(world, move |server| {
                    let (handle, headers) = (handle.clone(), headers.clone());
                    async move { server.resume(&handle, &headers).await.into() }
                })
            }
            Self::ConsentNeed => {
                let pending = Arc::new(*world.authorize(&world.valid_request(WEB)).await.pending());
                call(world, move |server| {
                    let pending = Arc::clone(&pending);
                    async move { server.consent_need(&pending, &"alice".into()).await.into() }
                })
            }
            Self::SiteAuthorize => {
                world.server.grants().remove_app(&"alice".into(), &"web".into()).await.unwrap();
                visit(world, authorization(world, WEB))
            }
            Self::SiteRemembered => visit(world, authorization(world, WEB)),
            Self::SiteComeBack => {
                let (handle, headers) = suspended(world).await;
                let uri = format!("/interaction?handle={handle}");
                let mut request = Request::get(uri).body(String::new()).unwrap();
                request.headers_mut().extend(headers);
                visit(world, request)
            }
            _ => {
                world.server.grants().remove_app(&"alice".into(), &"web".into()).await.unwrap();
                visit(world, decision(world, if self == Self::SiteAllow { "allow" } else { "deny" }).await)
            }
        }
    }

    async fn prepare_token(self, world: &World, access: String, refresh: String) -> Ready {
        let redemption = |code: &str| {
            let parameters = [
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", CALLBACK),
                ("code_verifier", VERIFIER),
            ];
            request(world, post_as(WEB, "/token", &parameters))
        };
        let token = |path, token: &str| request(world, post_as(WEB, path, &[("token", token)]));
        match self {
            Self::Redeem => redemption(&world.valid_code(WEB).await),
            Self::RedeemAtTheCap => {
                for _ in 1..10 {
                    world.tokens(WEB).await;
                }
                redemption(&world.valid_code(WEB).await)
            }
            Self::ReplayCode => {
                let code = world.valid_code(WEB).await;
                world.redeem(WEB, &code).await.tokens();
                redemption(&code)
            }
            Self::Refresh | Self::RefreshAgain | Self::ReplayRefresh => {
                if self != Self::Refresh {
                    world.refresh(WEB, &refresh).await.tokens();
                }
                if self == Self::ReplayRefresh {
                    world.advance(60);
                }
                request(world, post_as(WEB, "/token", &[("grant_type", "refresh_token"), ("refresh_token", &refresh)]))
            }
            Self::ClientCredentials => {
                request(world, post_as(WEB, "/token", &[("grant_type", "client_credentials"), ("scope", "read")]))
            }
            Self::RevokeAccess => token("/revoke", &access),
            Self::RevokeRefresh => token("/revoke", &refresh),
            Self::Introspect => request(world, post_as(API, "/introspect", &[("token", &access)])),
            Self::IntrospectUnknown => token("/introspect", "gat_unknown"),
            Self::Verify => call(world, move |server| {
                let access = access.clone();
                async move {
                    match server.verify(&access, Require::any()).await {
                        Ok(_) => Ended::Done,
                        Err(VerifyError::Failure(failure)) => Ended::Failed(failure),
                        Err(refused) => Ended::Refused(format!("{refused:?}")),
                    }
                }
            }),
            _ => call(world, move |server| {
                let request = Request::get("/").header("authorization", format!("Bearer {access}")).body(()).unwrap();
                async move {
                    match server.check(&request, Require::any()).await {
                        Ok(_) => Ended::Done,
                        Err(challenge) => Ended::Http(Answer::of(challenge.into_response())),
                    }
                }
            }),
        }
    }

    async fn prepare_device(self, world: &World) -> Ready {
        register_devices(world).await;
        let Waiting { device_code, user_code } = start(world, PRINTER).await;
        match self {
            Self::DeviceBegin => request(world, post_as(PRINTER, "/device_authorization", &[("scope", "read")])),
            Self::DevicePoll => request(world, polling(PRINTER, &device_code)),
            Self::DeviceRedeem | Self::DeviceReplay => {
                allow(world, &user_code, "alice").await;
                if self == Self::DeviceReplay {
                    world.send(polling(PRINTER, &device_code)).await.answer().tokens();
                }
                request(world, polling(PRINTER, &device_code))
            }
            Self::SiteDevice => {
                let uri = format!("/device?user_code={user_code}");
                visit(world, Request::get(uri).body(String::new()).unwrap())
            }
            Self::SiteDeviceAllow => visit(world, decision_on_device(world, &user_code, "allow").await),
            Self::SiteDeviceDeny => visit(world, decision_on_device(world, &user_code, "deny").await),
            _ => {
                let now = world.now();
                call(world, move |server| {
                    let user_code = user_code.clone();
                    async move {
                        let pending = match server.find_device(&user_code, &"alice".into(), None).await {
                            Ok(pending) => pending,
                            Err(UserCodeError::Failure(failure)) => return Ended::Failed(failure),
                            Err(refused) => return Ended::Refused(format!("{refused:?}")),
                        };
                        match self {
                            Self::DeviceDeny => server.deny_device(pending).await.into(),
                            _ => server.approve_device(pending, Approval::new("alice".into(), now)).await.into(),
                        }
                    }
                })
            }
        }
    }

    async fn prepare_management(self, world: &World) -> Ready {
        let (web, alice) = (grantor::ClientId::from("web"), grantor::Subject::from("alice"));
        let clients = world.server.clients();
        match self {
            Self::ActivateClient => assert!(clients.deactivate(&web).await.is_ok()),
            Self::ExpireSecret => assert!(clients.add_secret(&web, "second", Timestamp::NEVER).await.is_ok()),
            Self::ActivateSubject => world.server.subjects().deactivate(&alice).await.unwrap(),
            Self::Purge => {
                // What was counted is written down beside, a piece at a time.
                let _ = world.server.purge(1000).await.unwrap();
                world.advance(3 * 60);
            }
            _ => {}
        }
        let revision = clients.get(&web).await.unwrap().unwrap().revision();
        let grant = world.server.grants().of(&alice, None, 10).await.unwrap().items[0].id.clone();
        call(world, move |server| {
            let (web, alice, grant) = (web.clone(), alice.clone(), grant.clone());
            async move {
                let (clients, grants, subjects) = (server.clients(), server.grants(), server.subjects());
                match self {
                    Self::Register => clients.register(metadata(POSTER)).await.into(),
                    Self::GetClient => clients.get(&web).await.into(),
                    Self::ListClients => clients.list(&ClientFilter::default(), None, 2).await.into(),
                    Self::UpdateClient => clients.update(&web, revision, metadata(WEB)).await.into(),
                    Self::DeactivateClient => clients.deactivate(&web).await.into(),
                    Self::ActivateClient => clients.activate(&web).await.into(),
                    Self::DeleteClient => clients.delete(&web).await.into(),
                    Self::ListSecrets => clients.secrets(&web).await.into(),
                    Self::AddSecret => clients.add_secret(&web, "more", Timestamp::NEVER).await.into(),
                    Self::RotateSecret => clients.rotate_secret(&web, "new", Duration::from_secs(60)).await.into(),
                    Self::ExpireSecret => clients.expire_secret(&web, 1, START).await.into(),
                    Self::GrantsOf => grants.of(&alice, None, 10).await.into(),
                    Self::GrantsTo => grants.to(&web, None, 10).await.into(),
                    Self::Apps => grants.apps(&alice, None, 10).await.into(),
                    Self::RevokeGrant => grants.revoke(&grant).await.into(),
                    Self::RemoveApp => grants.remove_app(&alice, &web).await.into(),
                    Self::DeactivateSubject => subjects.deactivate(&alice).await.into(),
                    Self::ActivateSubject => subjects.activate(&alice).await.into(),
                    Self::RevokeSubject => subjects.revoke_all(&alice).await.into(),
                    Self::IsActive => subjects.is_active(&alice).await.into(),
                    Self::Purge => server.purge(1000).await.into(),
                    other => panic!("{other:?} is no management"),
                }
            }
        })
    }

    /// Whether the act is a request by a browser, which is shown pages.
    pub const fn is_for_people(self) -> bool {
        matches!(
            self,
            Self::Authorize
                | Self::SiteAuthorize
                | Self::SiteRemembered
                | Self::SiteComeBack
                | Self::SiteAllow
                | Self::SiteDeny
                | Self::SiteDevice
                | Self::SiteDeviceAllow
                | Self::SiteDeviceDeny
        )
    }

    /// Whether the act, done, is a refusal that is written down: it ends a family, or a device has asked too early.
    pub const fn is_refusal(self) -> bool {
        matches!(self, Self::ReplayCode | Self::ReplayRefresh | Self::DeviceReplay | Self::DevicePoll)
    }
}

/// What a store holds, but for what is random: kinds, states, spent or not, revisions, times. When a secret was last
/// used is left out: it is noted after the act, and outside it.
pub fn shape(records: &[Arc<Record>]) -> Vec<String> {
    let mut shape: Vec<String> = records
        .iter()
        .filter(|record| record.key.kind != Kind::SECRET_USE)
        .map(|record| {
            let Record { key, revision, state, created_at, expires_at, purge_after, used, payload, .. } = &**record;
            // A generated identifier of a client decides on its partition, and the digits of its digests on its length.
            let (partition, payload) = match key.kind {
                Kind::CLIENT => (0, 0),
                // So does the user code on that of a device.
                Kind::USER_CODE | Kind::DEVICE_CODE => (0, payload.as_bytes().len()),
                _ => (key.partition.0, payload.as_bytes().len()),
            };
            let used = used.as_ref().map(|used| (used.at, used.answer.len()));
            let parent = record.parent.map(|parent| parent.key.kind.0);
            format!(
                "kind {} in {partition}: {state:?} revision {revision} of {created_at:?} until {expires_at:?} and {purge_after:?} \
                 used {used:?} on {parent:?} with {payload} bytes",
                key.kind.0,
            )
        })
        .collect();
    shape.sort();
    shape
}

/// What is answered to whoever does it again, not knowing that it was done.
pub fn assert_repetition(act: Act, again: &Ended, world: &World, complete: &[String], what: &str) {
    let now = shape(&world.dump());
    match act {
        // The same answer, and nothing more is issued.
        Act::Refresh => {
            again.answer().unwrap().tokens();
            assert_eq!(now, complete, "{what}");
            assert_eq!(living(&world.dump(), Kind::REFRESH_TOKEN, world.now()).len(), 1, "{what}");
        }
        // A code has no retry window: the second presentation ends what the first bought.
        Act::Redeem | Act::RedeemAtTheCap => {
            again.answer().unwrap().refused("invalid_grant");
            assert_eq!(of_kind(&world.dump(), Kind::GRANT).len(), if act == Act::Redeem { 2 } else { 11 }, "{what}");
        }
        // Nor has a device code: whoever asks once more is not the device.
        Act::DeviceRedeem => {
            again.answer().unwrap().refused("invalid_grant");
            assert_eq!(of_kind(&world.dump(), Kind::GRANT).len(), 2, "{what}");
        }
        // Whether it was told or not, it has asked, and has to wait.
        Act::DevicePoll => {
            again.answer().unwrap().refused("slow_down");
        }
        // Decided is decided.
        Act::Approve | Act::ApproveAgainForAnotherScope | Act::Deny | Act::DeviceApprove | Act::DeviceDeny => {
            assert!(matches!(again, Ended::Refused(reason) if reason == "Decided"), "{what}: {again:?}");
            assert_eq!(now, complete, "{what}");
        }
        Act::SiteAllow | Act::SiteDeny | Act::SiteComeBack | Act::SiteDeviceAllow | Act::SiteDeviceDeny => {
            assert_eq!(again.answer().unwrap().status, http::StatusCode::BAD_REQUEST, "{what}");
            assert_eq!(now, complete, "{what}");
        }
        Act::ReplayCode | Act::ReplayRefresh | Act::DeviceReplay => {
            again.answer().unwrap().refused("invalid_grant");
            assert_eq!(now, complete, "{what}");
        }
        Act::UpdateClient | Act::DeleteClient => {
            assert!(matches!(again, Ended::Refused(_)), "{what}: {again:?}");
            assert_eq!(now, complete, "{what}");
        }
        // One more of what there may be several of.
        Act::ClientCredentials
        | Act::DeviceBegin
        | Act::SiteRemembered
        | Act::Register
        | Act::AddSecret
        | Act::RotateSecret
        | Act::ExpireSecret
        | Act::RemoveApp
        | Act::RevokeSubject => assert!(again.is_done(), "{what}: {again:?}"),
        // To do it twice is to do it once.
        _ => {
            assert!(again.is_done(), "{what}: {again:?}");
            assert_eq!(now, complete, "{what}");
        }
    }
}
