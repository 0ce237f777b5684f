//! What a request is before anybody reads its parameters: a form, of a sane size, each parameter once.

use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE};

use crate::client::{Presented, Proof, presented};
use crate::context::Context;
use crate::error::Failure;
use crate::extension::Used;
use crate::id::ClientId;
use crate::refusal::{ClientError, RequestError};
use crate::wire::form::{Form, decode_component};

/// A request of a client to one of the endpoints that take a form: its parameters, and who says it is calling.
#[derive(Debug)]
pub(crate) struct ClientRequest<'a> {
    pub(crate) form: Form<'a>,
    pub(crate) presented: Presented,
}

impl<'a> ClientRequest<'a> {
    /// Reads it, and authenticates nobody yet.
    pub(crate) async fn read<E>(
        context: &Context,
        headers: &HeaderMap,
        query: Option<&str>,
        body: &'a [u8],
    ) -> Result<Self, Refused<E>>
    where
        E: From<RequestError> + From<ClientError> + From<Failure>,
    {
        refuse_credentials_in_query(query).map_err(Refused::anonymous)?;
        let form = form_of_body(headers, body).map_err(Refused::anonymous)?;
        if !context.client_authentication.is_empty()
            && let Some(presented) = presented_to_host(context, headers, &form).await?
        {
            return Ok(Self { form, presented });
        }
        let presented = presented(headers, &form).map_err(Refused::anonymous)?;
        Ok(Self { form, presented })
    }

    /// A refusal of this request.
    pub(crate) fn refused<E>(&self, error: E) -> Refused<E> {
        Refused { error, client_id: Some(self.presented.client_id.clone()) }
    }
}

/// A refusal, and whom it was given, as far as they said who they are.
#[derive(Debug)]
pub(crate) struct Refused<E> {
    pub(crate) error: E,
    pub(crate) client_id: Option<ClientId>,
}

impl<E> Refused<E> {
    fn anonymous(error: impl Into<E>) -> Self {
        Self { error: error.into(), client_id: None }
    }
}

/// What a request presents by a method of the host, if it uses one; beside it no other (RFC 6749 §2.3).
async fn presented_to_host<E>(
    context: &Context,
    headers: &HeaderMap,
    form: &Form<'_>,
) -> Result<Option<Presented>, Refused<E>>
where
    E: From<ClientError> + From<Failure>,
{
    let claimed = context.client_authentication.claimed(headers, form).await.map_err(Refused::anonymous)?;
    let Some((method, used)) = claimed else { return Ok(None) };
    let refused = |error: ClientError| Err(Refused::anonymous(error));
    let client_id = match used {
        Used::Several => return refused(ClientError::SeveralMethods),
        Used::Refused => return refused(ClientError::NotProven { header: headers.contains_key(AUTHORIZATION) }),
        Used::Proven(client_id) => client_id,
    };
    let by_secret =
        form.has("client_secret") || headers.get_all(AUTHORIZATION).iter().any(|value| is_basic(value.as_bytes()));
    if by_secret {
        return refused(ClientError::SeveralMethods);
    }
    if form.get("client_id").is_some_and(|named| named != client_id.as_str()) {
        return refused(ClientError::IdMismatch);
    }
    Ok(Some(Presented::new(client_id, Proof::Extension { method })))
}

fn is_basic(authorization: &[u8]) -> bool {
    authorization.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic"))
}

/// The parameters in the body of a POST (RFC 6749 §3.2).
fn form_of_body<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Form<'a>, RequestError> {
    if !declares_form(headers) {
        return Err(RequestError::NotAForm);
    }
    let form = Form::parse(body)?;
    if form.repeated().is_some() { Err(RequestError::Repeated) } else { Ok(form) }
}

pub(crate) fn declares_form(headers: &HeaderMap) -> bool {
    let mut declared = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (declared.next(), declared.next()) else { return false };
    let Ok(text) = only.to_str() else { return false };
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Refuses credentials in the query string, where logs would keep them (RFC 6749 §2.3.1).
fn refuse_credentials_in_query(query: Option<&str>) -> Result<(), ClientError> {
    let Some(query) = query else { return Ok(()) };
    let names = ["client_secret", "client_assertion", "code", "refresh_token", "token", "code_verifier"];
    let mut pieces = query.split('&');
    // A name is the same name however it is escaped; one that cannot be decoded is none.
    let is_credential = |piece: &str| {
        let name = piece.split('=').next().unwrap_or_default();
        decode_component(name).is_ok_and(|name| names.contains(&&*name))
    };
    if pieces.any(is_credential) { Err(ClientError::InQuery) } else { Ok(()) }
}
