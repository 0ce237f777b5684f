//! From a request to an operation: who calls, and whether they may.

use http::header::ALLOW;
use http::request::Parts;
use http::{Method, Response, StatusCode};

use super::call::{Call, Caller};
use super::config::Mounted;
use super::input::Input;
use super::operation::{Described, Matched, Operation};
use super::output::{self, Answer};
use super::problem::{self, Problem};
use super::{clients, grants, own, registrations};
use crate::id::Subject;
use crate::resource::Require;
use crate::server::AuthorizationServer;
use crate::wire::form::Form;

/// Answers a request to the API.
pub(crate) async fn serve(
    server: &AuthorizationServer,
    api: &Mounted,
    matched: &Matched,
    parts: &Parts,
    body: &[u8],
) -> Response<String> {
    if matched.operations.is_empty() {
        return Problem::not_found().into_response();
    }
    let allowed: Vec<&str> = matched.operations.iter().map(|described| described.method).collect();
    if parts.method == Method::OPTIONS {
        let mut response = output::json(StatusCode::NO_CONTENT, String::new());
        if let Ok(allowed) = http::HeaderValue::from_str(&allowed.join(", ")) {
            response.headers_mut().insert(ALLOW, allowed);
        }
        return response;
    }
    let Some(described) = matched.by(&parts.method) else { return problem::method_not_allowed(&allowed) };
    if described.operation == Operation::Document {
        return output::json(StatusCode::OK, api.document.clone());
    }
    let caller = match authorize(server, api, described, parts).await {
        Ok(caller) => caller,
        Err(response) => return response,
    };
    let query = parts.uri.query().unwrap_or_default();
    let Ok(query) = Form::parse(query.as_bytes()) else {
        return Problem::invalid("the query cannot be read").into_response();
    };
    if query.repeated().is_some() {
        return Problem::invalid("the query has a parameter twice").into_response();
    }
    let call =
        Call { server, api, caller: &caller, input: Input { parts, body, parameters: &matched.parameters, query } };
    match run(&call, described.operation).await {
        Ok(answer) => answer.into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// Who calls, if their token is one of ours with the scope that the operation needs.
async fn authorize(
    server: &AuthorizationServer,
    api: &Mounted,
    described: &Described,
    parts: &Parts,
) -> Result<Caller, Response<String>> {
    let context = &server.inner.context;
    let require = Require::scope(described.scope);
    let checked = crate::resource::check_request(context, &parts.headers, &parts.uri, require).await;
    let token = checked.map_err(problem::challenge)?;
    // A token that was addressed to others is theirs (RFC 8707 §2), also where it names this scope.
    if token.resources().next().is_some() && !token.resources().any(|resource| resource == api.base) {
        let detail = "the token is addressed to another resource";
        return Err(Problem::new(StatusCode::FORBIDDEN, "other_resource", detail).into_response());
    }
    Ok(Caller {
        client_id: token.client_id().into(),
        subject: token.subject().map(Subject::from),
        scope: token.scope().to_owned(),
    })
}

async fn run(call: &Call<'_>, operation: Operation) -> Result<Answer, Problem> {
    use Operation as Op;
    match operation {
        Op::Document => Ok(Answer::nothing()),
        Op::ListClients => clients::list(call).await,
        Op::CreateClient => clients::create(call).await,
        Op::GetClient => clients::get(call).await,
        Op::UpdateClient => clients::update(call).await,
        Op::DeleteClient => clients::delete(call).await,
        Op::DeactivateClient => clients::deactivate(call).await,
        Op::ActivateClient => clients::activate(call).await,
        Op::RevokeClient => clients::revoke(call).await,
        Op::ClientUsage => clients::usage(call).await,
        Op::ListSecrets => clients::secrets(call).await,
        Op::AddSecret => clients::add_secret(call).await,
        Op::EndSecret => clients::end_secret(call).await,
        Op::ListClientGrants => grants::of_client(call).await,
        Op::GetGrant => grants::get(call).await,
        Op::RevokeGrant => grants::revoke(call).await,
        Op::GetSubject => grants::subject(call).await,
        Op::ListSubjectGrants => grants::of_subject(call).await,
        Op::ListSubjectApps => grants::apps(call).await,
        Op::RemoveSubjectApp => grants::remove_app(call).await,
        Op::RevokeSubject => grants::revoke_subject(call).await,
        Op::DeactivateSubject => grants::deactivate_subject(call).await,
        Op::ActivateSubject => grants::activate_subject(call).await,
        Op::Activity => grants::activity(call).await,
        Op::RevokeEverything => grants::revoke_everything(call).await,
        Op::ListInitialAccessTokens => registrations::list(call).await,
        Op::CreateInitialAccessToken => registrations::create(call).await,
        Op::EndInitialAccessToken => registrations::end(call).await,
        Op::ListOwnApps => own::apps(call).await,
        Op::RemoveOwnApp => own::remove_app(call).await,
        Op::RevokeOwnGrant => own::revoke_grant(call).await,
        Op::OwnTokenChoices => own::choices(call).await,
        Op::ListOwnTokens => own::tokens(call).await,
        Op::CreateOwnToken => own::create_token(call).await,
        Op::GetOwnToken => own::token(call).await,
        Op::UpdateOwnToken => own::update_token(call).await,
        Op::DeleteOwnToken => own::delete_token(call).await,
    }
}
