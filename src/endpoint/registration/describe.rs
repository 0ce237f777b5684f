//! From what a client wrote of itself to metadata that may be registered.

use super::Refused;
use crate::client::{AuthMethod, ClientMetadata, Described, MetadataError, Software};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::grant::check_metadata;
use crate::refusal::RegistrationError;
use crate::registration::{RegisteredBy, RegisteredScope, RegistrationRequest, RegistrationRules};

/// The metadata that the server and the host's policy agree to.
pub(super) async fn describe(
    context: &Context,
    rules: &RegistrationRules,
    described: &Described,
    by: RegisteredBy<'_>,
    now: Timestamp,
) -> Result<ClientMetadata, Refused> {
    // What only the host says of a client stays as the host said it.
    let base = match by {
        RegisteredBy::Itself(client) => client.metadata().clone(),
        RegisteredBy::Anybody | RegisteredBy::InitialAccessToken(_) | RegisteredBy::Document(_) => {
            ClientMetadata::default()
        }
    };
    let auth_method = match by {
        // A client does not lose its secret by leaving a member out.
        RegisteredBy::Itself(client) if client.metadata().is_confidential() => AuthMethod::ClientSecretBasic,
        _ => rules.settings.auth_method,
    };
    let mut metadata = described.metadata(auth_method, &rules.scope, base)?;
    match rules.settings.registered_scope {
        RegisteredScope::AsNamed => {}
        RegisteredScope::All => metadata.scope = rules.scope.clone(),
    }
    let metadata = ClientMetadata { require_pkce: metadata.require_pkce || !metadata.is_confidential(), ..metadata };
    check(context, rules, &metadata)?;
    let Some(policy) = &rules.settings.policy else {
        let stated = described.software.statement.is_some();
        return if stated { Err(RegistrationError::UnapprovedStatement.into()) } else { Ok(metadata) };
    };
    let Software { id, version, statement } = &described.software;
    let request = RegistrationRequest {
        metadata: &metadata,
        software_id: id.as_deref(),
        software_version: version.as_deref(),
        software_statement: statement.as_deref(),
        by,
        now,
    };
    let agreed = policy.decide(request).await.map_err(RegistrationError::from)?;
    // The policy may give what the rules would not; it may not make a client that nobody could register.
    check_metadata(context, &agreed)?;
    Ok(agreed)
}

/// Only what clients that register themselves may have at all.
fn check(context: &Context, rules: &RegistrationRules, metadata: &ClientMetadata) -> Result<(), Refused> {
    check_metadata(context, metadata)?;
    if !metadata.grant_types.iter().all(|name| rules.settings.grant_types.contains(name)) {
        return Err(MetadataError::GrantType.into());
    }
    if metadata.grant_types.is_empty() {
        return Err(MetadataError::GrantType.into());
    }
    if !metadata.scope.is_subset_of(&rules.scope) {
        return Err(MetadataError::Scope.into());
    }
    Ok(())
}
