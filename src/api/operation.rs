//! The operations: what is routed, what is asked of the caller, and what the document says are one table.

use http::Method;

use super::input::decode_segment;

/// The scope that the API adds to the server's, with the words in which a consent page explains it.
pub(crate) const SCOPES: [(&str, &str); 6] = [
    ("grantor:clients:read", "See the registered applications"),
    ("grantor:clients:write", "Register, change and delete applications"),
    ("grantor:grants:read", "See which applications have access"),
    ("grantor:grants:write", "End the access of applications"),
    ("grantor:tokens:read", "See your personal tokens"),
    ("grantor:tokens:write", "Make, change and delete your personal tokens"),
];

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Document,
    ListClients,
    CreateClient,
    GetClient,
    UpdateClient,
    DeleteClient,
    DeactivateClient,
    ActivateClient,
    RevokeClient,
    ClientUsage,
    ListSecrets,
    AddSecret,
    EndSecret,
    ListClientGrants,
    GetGrant,
    RevokeGrant,
    GetSubject,
    ListSubjectGrants,
    ListSubjectApps,
    RemoveSubjectApp,
    RevokeSubject,
    DeactivateSubject,
    ActivateSubject,
    Activity,
    RevokeEverything,
    ListInitialAccessTokens,
    CreateInitialAccessToken,
    EndInitialAccessToken,
    ListOwnApps,
    RemoveOwnApp,
    RevokeOwnGrant,
    OwnTokenChoices,
    ListOwnTokens,
    CreateOwnToken,
    GetOwnToken,
    UpdateOwnToken,
    DeleteOwnToken,
}

/// What is said of an operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Described {
    pub(super) operation: Operation,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// What the token must have; empty for what is public.
    pub(super) scope: &'static str,
    pub(super) summary: &'static str,
    /// The schema of what it takes; empty for nothing.
    pub(super) takes: &'static str,
    /// The status of its success, and the schema of what it answers then; empty for nothing.
    pub(super) answers: (u16, &'static str),
    pub(super) header: Header,
}

/// The header that an operation knows beside the usual ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    None,
    IdempotencyKey,
    IfMatch,
}

const CLIENTS_READ: &str = "grantor:clients:read";
const CLIENTS_WRITE: &str = "grantor:clients:write";
const GRANTS_READ: &str = "grantor:grants:read";
const GRANTS_WRITE: &str = "grantor:grants:write";
const TOKENS_READ: &str = "grantor:tokens:read";
const TOKENS_WRITE: &str = "grantor:tokens:write";

const fn of(
    operation: Operation,
    method: &'static str,
    path: &'static str,
    scope: &'static str,
    answers: (u16, &'static str),
    summary: &'static str,
) -> Described {
    Described { operation, method, path, scope, summary, takes: "", answers, header: Header::None }
}

impl Described {
    const fn takes(self, takes: &'static str) -> Self {
        Self { takes, ..self }
    }

    const fn header(self, header: Header) -> Self {
        Self { header, ..self }
    }

    /// Whether it answers a page of a list.
    pub(super) fn is_list(&self) -> bool {
        self.answers.1.ends_with("Page")
    }
}

pub(super) const OPERATIONS: [Described; 37] = {
    use Header::{IdempotencyKey, IfMatch};
    use Operation as Op;
    [
        of(Op::Document, "GET", "/openapi.json", "", (200, "Document"), "This document"),
        of(Op::ListClients, "GET", "/clients", CLIENTS_READ, (200, "ClientPage"), "List the clients"),
        of(Op::CreateClient, "POST", "/clients", CLIENTS_WRITE, (201, "CreatedClient"), "Register a client")
            .takes("ClientMetadata")
            .header(IdempotencyKey),
        of(Op::GetClient, "GET", "/clients/{client_id}", CLIENTS_READ, (200, "Client"), "Read a client"),
        of(
            Op::UpdateClient,
            "PUT",
            "/clients/{client_id}",
            CLIENTS_WRITE,
            (200, "CreatedClient"),
            "Put other metadata in place",
        )
        .takes("ClientMetadata")
        .header(IfMatch),
        of(Op::DeleteClient, "DELETE", "/clients/{client_id}", CLIENTS_WRITE, (204, ""), "Delete a client for good"),
        of(
            Op::DeactivateClient,
            "POST",
            "/clients/{client_id}/deactivate",
            CLIENTS_WRITE,
            (200, "Client"),
            "Refuse a client, and end all that it was issued",
        ),
        of(
            Op::ActivateClient,
            "POST",
            "/clients/{client_id}/activate",
            CLIENTS_WRITE,
            (200, "Client"),
            "Let a client act again",
        ),
        of(
            Op::RevokeClient,
            "POST",
            "/clients/{client_id}/revoke",
            GRANTS_WRITE,
            (200, "Client"),
            "End all that a client was issued",
        ),
        of(
            Op::ClientUsage,
            "GET",
            "/clients/{client_id}/usage",
            CLIENTS_READ,
            (200, "Usage"),
            "What a client has, when it was last used, and how much it was issued and refused",
        ),
        of(
            Op::ListSecrets,
            "GET",
            "/clients/{client_id}/secrets",
            CLIENTS_READ,
            (200, "SecretList"),
            "List a client's secrets, without the secrets",
        ),
        of(
            Op::AddSecret,
            "POST",
            "/clients/{client_id}/secrets",
            CLIENTS_WRITE,
            (201, "CreatedSecret"),
            "Give a client one more secret",
        )
        .takes("NewSecret")
        .header(IdempotencyKey),
        of(
            Op::EndSecret,
            "DELETE",
            "/clients/{client_id}/secrets/{secret_id}",
            CLIENTS_WRITE,
            (204, ""),
            "End a secret at once",
        ),
        of(
            Op::ListClientGrants,
            "GET",
            "/clients/{client_id}/grants",
            GRANTS_READ,
            (200, "GrantPage"),
            "List the grants to a client",
        ),
        of(Op::GetGrant, "GET", "/grants/{grant_id}", GRANTS_READ, (200, "Grant"), "Read a grant"),
        of(Op::RevokeGrant, "DELETE", "/grants/{grant_id}", GRANTS_WRITE, (204, ""), "End a grant with all its tokens"),
        of(
            Op::GetSubject,
            "GET",
            "/subjects/{subject}",
            GRANTS_READ,
            (200, "Subject"),
            "Whether anything is issued for a resource owner",
        ),
        of(
            Op::ListSubjectGrants,
            "GET",
            "/subjects/{subject}/grants",
            GRANTS_READ,
            (200, "GrantPage"),
            "List the grants of a resource owner",
        ),
        of(
            Op::ListSubjectApps,
            "GET",
            "/subjects/{subject}/apps",
            GRANTS_READ,
            (200, "AppPage"),
            "List the clients that a resource owner has let in",
        ),
        of(
            Op::RemoveSubjectApp,
            "DELETE",
            "/subjects/{subject}/apps/{client_id}",
            GRANTS_WRITE,
            (204, ""),
            "End all that a resource owner granted to a client, and forget the consent",
        ),
        of(
            Op::RevokeSubject,
            "POST",
            "/subjects/{subject}/revoke",
            GRANTS_WRITE,
            (200, "Subject"),
            "End all that was issued for a resource owner",
        ),
        of(
            Op::DeactivateSubject,
            "POST",
            "/subjects/{subject}/deactivate",
            GRANTS_WRITE,
            (200, "Subject"),
            "Issue nothing more for a resource owner, and end what was issued",
        ),
        of(
            Op::ActivateSubject,
            "POST",
            "/subjects/{subject}/activate",
            GRANTS_WRITE,
            (200, "Subject"),
            "Issue for a resource owner again",
        ),
        of(
            Op::Activity,
            "GET",
            "/activity",
            GRANTS_READ,
            (200, "Activity"),
            "How many tokens were issued and requests refused, day by day, and by which clients most",
        ),
        of(
            Op::RevokeEverything,
            "POST",
            "/revoke-everything",
            GRANTS_WRITE,
            (200, "Sweep"),
            "End everything of everyone, a thousand clients at a time: send `next` until there is none",
        )
        .takes("SweepFrom"),
        of(
            Op::ListInitialAccessTokens,
            "GET",
            "/initial-access-tokens",
            CLIENTS_READ,
            (200, "InitialAccessTokenPage"),
            "List the tokens with which clients register themselves, without the tokens",
        ),
        of(
            Op::CreateInitialAccessToken,
            "POST",
            "/initial-access-tokens",
            CLIENTS_WRITE,
            (201, "CreatedInitialAccessToken"),
            "Make a token with which clients register themselves",
        )
        .takes("NewInitialAccessToken")
        .header(IdempotencyKey),
        of(
            Op::EndInitialAccessToken,
            "DELETE",
            "/initial-access-tokens/{token_id}",
            CLIENTS_WRITE,
            (204, ""),
            "End such a token; what it has registered stays",
        ),
        of(Op::ListOwnApps, "GET", "/me/apps", GRANTS_READ, (200, "AppPage"), "List the clients that I have let in"),
        of(
            Op::RemoveOwnApp,
            "DELETE",
            "/me/apps/{client_id}",
            GRANTS_WRITE,
            (204, ""),
            "End all that I granted to a client, and forget the consent",
        ),
        of(Op::RevokeOwnGrant, "DELETE", "/me/grants/{grant_id}", GRANTS_WRITE, (204, ""), "End one of my sessions"),
        of(
            Op::OwnTokenChoices,
            "GET",
            "/me/token-choices",
            TOKENS_READ,
            (200, "TokenChoices"),
            "Which scope a personal token may have, and how long it may live",
        ),
        of(Op::ListOwnTokens, "GET", "/me/tokens", TOKENS_READ, (200, "TokenList"), "List my personal tokens"),
        of(Op::CreateOwnToken, "POST", "/me/tokens", TOKENS_WRITE, (201, "CreatedToken"), "Make a personal token")
            .takes("NewToken")
            .header(IdempotencyKey),
        of(Op::GetOwnToken, "GET", "/me/tokens/{grant_id}", TOKENS_READ, (200, "Grant"), "Read a personal token"),
        of(
            Op::UpdateOwnToken,
            "PATCH",
            "/me/tokens/{grant_id}",
            TOKENS_WRITE,
            (200, "Grant"),
            "Give a personal token another scope, in force at once",
        )
        .takes("TokenScope")
        .header(IfMatch),
        of(Op::DeleteOwnToken, "DELETE", "/me/tokens/{grant_id}", TOKENS_WRITE, (204, ""), "Delete a personal token"),
    ]
};

/// What a path of the API is.
#[derive(Debug)]
pub(crate) struct Matched {
    /// The operations there, by method; none where there is nothing.
    pub(super) operations: Vec<&'static Described>,
    /// The parameters in the path, in their order.
    pub(super) parameters: Vec<String>,
}

impl Matched {
    pub(super) fn by(&self, method: &Method) -> Option<&'static Described> {
        self.operations.iter().find(|described| described.method == method.as_str()).copied()
    }
}

/// Finds what lies at a path, given without the mount.
pub(super) fn route(path: &str) -> Matched {
    let mut matched = Matched { operations: Vec::new(), parameters: Vec::new() };
    for described in &OPERATIONS {
        if let Some(parameters) = parameters(described.path, path) {
            matched.operations.push(described);
            matched.parameters = parameters;
        }
    }
    matched
}

/// The parameters in `path`, if it is of this template.
fn parameters(template: &str, path: &str) -> Option<Vec<String>> {
    let mut parameters = Vec::new();
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(parameters),
            (Some(wanted), Some(given)) if wanted.starts_with('{') => {
                parameters.push(decode_segment(given).filter(|given| !given.is_empty())?);
            }
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return None,
        }
    }
}
