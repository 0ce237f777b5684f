//! The way of a request: it is written down, a fault may be in its way, and the script decides for the user.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body::Body;

use super::fault::Faults;
use super::log::Log;
use super::script::{Decision, Scripted};
use super::store::TestStore;
use super::tamper::{self, tamper};
use super::{ConnectionReset, Fault, RecordedRequest, TestClock, control, end, login};
use crate::clock::Clock as _;
use crate::endpoint::Approval;
use crate::event::Event;
use crate::http::{Outcome, Site, WholeBody, authorization_response};
use crate::interaction::PendingAuthorization;
use crate::server::AuthorizationServer;
use crate::wire::error::ErrorCode;

/// All that the clones of a test server share.
pub(super) struct Inner {
    pub(super) server: AuthorizationServer,
    pub(super) site: Site,
    pub(super) clock: Arc<TestClock>,
    pub(super) store: Arc<TestStore>,
    pub(super) script: Arc<Scripted>,
    pub(super) faults: Faults,
    pub(super) log: Log,
    pub(super) events: Arc<Mutex<Vec<Event>>>,
    pub(super) seed: u64,
    pub(super) control: bool,
}

/// How much of a body is read: more than the server reads, so that it can refuse the rest by itself.
const MOST: usize = 256 * 1024;

/// Answers a request as the test has asked for.
pub(super) async fn handle<B: Body>(inner: &Inner, request: Request<B>) -> Result<Response<String>, ConnectionReset> {
    let (parts, body) = request.into_parts();
    let body = collect(body).await;
    let issuer_path = inner.server.inner.context.issuer.path();
    let mut recorded = RecordedRequest::new(inner.clock.now(), issuer_path, &parts, body.clone());
    if recorded.path == login::PATH {
        return Ok(login::answer(inner, &parts, &body));
    }
    if inner.control
        && let Some(answer) = control::answer(inner, &recorded).await
    {
        return Ok(answer);
    }
    let fault = inner.faults.take(&recorded);
    recorded.fault.clone_from(&fault);
    let number = inner.log.begin(recorded.clone());
    let answered = with_fault(inner, fault, &recorded, parts, body).await;
    inner.log.end(number, answered.as_ref().ok().map(Response::status));
    answered
}

async fn collect<B: Body>(body: B) -> Bytes {
    use bytes::Buf as _;
    let mut body = std::pin::pin!(body);
    let mut collected = Vec::new();
    while let Some(Ok(frame)) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let Ok(mut data) = frame.into_data() else { continue };
        while data.has_remaining() && collected.len() < MOST {
            let chunk = data.chunk();
            let length = chunk.len();
            collected.extend_from_slice(chunk);
            data.advance(length);
        }
        if collected.len() >= MOST {
            break;
        }
    }
    collected.into()
}

async fn with_fault(
    inner: &Inner,
    fault: Option<Fault>,
    recorded: &RecordedRequest,
    parts: Parts,
    body: Bytes,
) -> Result<Response<String>, ConnectionReset> {
    let issuer = inner.server.issuer();
    let request = Request::from_parts(parts, WholeBody::new(body));
    let Some(fault) = fault else { return Ok(serve(inner, request, None).await) };
    let unavailable = || tamper::error(ErrorCode::TemporarilyUnavailable, recorded, issuer);
    match fault {
        Fault::Error(code) if recorded.path == "/authorize" => Ok(serve(inner, request, Some(code)).await),
        Fault::Error(code) => Ok(tamper::error(code, recorded, issuer)),
        Fault::ServerError => Ok(tamper::error(ErrorCode::ServerError, recorded, issuer)),
        Fault::Unavailable => Ok(unavailable()),
        Fault::UnavailableAfter => {
            serve(inner, request, None).await;
            Ok(unavailable())
        }
        Fault::Answer(status, body) => Ok(tamper::written(status, &body)),
        Fault::Slow(by) => {
            let answer = serve(inner, request, None).await;
            tokio::time::sleep(by).await;
            Ok(answer)
        }
        Fault::Silence => std::future::pending().await,
        Fault::ResetBefore => Err(ConnectionReset),
        Fault::ResetAfter => {
            serve(inner, request, None).await;
            Err(ConnectionReset)
        }
        Fault::WrongIssuer | Fault::WrongAudience | Fault::ExpiredToken | Fault::NotYetValidToken => {
            let answer = serve(inner, request, None).await;
            end::spoil(inner, &fault, answer.body()).await;
            Ok(tamper(&fault, answer, issuer))
        }
    }
}

/// The engine's own answer; `refuse`, where the client is to be told an error instead of asking the user.
async fn serve(inner: &Inner, request: Request<WholeBody>, refuse: Option<ErrorCode>) -> Response<String> {
    let script = inner.script.now();
    let pages = refuse.is_none() && (script.decision == Decision::Ask || script.user.is_none());
    if pages {
        return inner.site.handle(request).await.unwrap_or_else(|_| not_found());
    }
    match inner.server.handle(request).await {
        Outcome::Respond(response) => response,
        Outcome::NotMine(request) => inner.site.handle(request).await.unwrap_or_else(|_| not_found()),
        Outcome::Interact { pending, request: _ } => match refuse {
            Some(code) => refused(inner, &pending, code),
            None => decide(inner, *pending).await,
        },
    }
}

fn refused(inner: &Inner, pending: &PendingAuthorization, code: ErrorCode) -> Response<String> {
    let response = pending.target().error(&inner.server.inner.context, code, "the test asked for this error");
    authorization_response(&*inner.server.inner.pages, response)
}

/// What the script says, without a page.
async fn decide(inner: &Inner, pending: PendingAuthorization) -> Response<String> {
    let script = inner.script.now();
    let server = &inner.server;
    let decided = match (script.user, script.decision) {
        (Some(user), Decision::Approve(scope)) => {
            let approval = Approval::new(user, script.authenticated_at.unwrap_or_else(|| server.now()));
            let approval = match scope {
                Some(scope) => approval.with_scope(scope.intersection(pending.scope())),
                None => approval,
            };
            server.approve(pending, approval).await
        }
        (user, Decision::Approve(_) | Decision::Deny | Decision::Ask) => server.deny(pending, user.as_ref()).await,
    };
    decided.unwrap_or_else(|error| {
        let mut response = Response::new(format!("the scripted user could not decide: {error}"));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

fn not_found() -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
