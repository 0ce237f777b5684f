//! One file per grant type: load, authenticate, decide, commit once, respond.
//!
//! | file | holds |
//! |---|---|
//! | `authorization_code.rs` | a code for tokens (RFC 6749 §4.1.3, RFC 7636 §4.6) |
//! | `refresh_token.rs` | a refresh token for the next (RFC 6749 §6, RFC 9700 §4.14) |
//! | `client_credentials.rs` | a token for the client itself (RFC 6749 §4.4) |
//! | `device_code.rs` | a device code for tokens, once the user has agreed (RFC 8628 §3.4) |
//! | `extension.rs` | grant types of the host (RFC 6749 §4.5) |
//! | `authorization.rs` | what a subject has allowed a client: remembered consent and the list of live grants |
//! | `device.rs` | the record of a device that waits, and what its user decided |
//! | `family.rs` | a new grant with its first tokens |
//! | `personal.rs` | personal tokens: grants to nobody but their owner |
//! | `record.rs` | the record of a grant: what it says, what the grant is called, and ending it |
//! | `last_used.rs` | noting when a grant was last used, without a write per request |
//! | `terms.rs` | which scope and which resources a token gets |
//! | `answer.rs` | the token response |

mod answer;
pub(crate) mod authorization;
pub(crate) mod authorization_code;
pub(crate) mod client_credentials;
pub(crate) mod device;
pub(crate) mod device_code;
pub(crate) mod extension;
pub(crate) mod family;
pub(crate) mod last_used;
pub(crate) mod personal;
pub(crate) mod record;
pub(crate) mod refresh_token;
pub(crate) mod terms;

pub(crate) use answer::{TokenAnswer, Under};

/// How often a request decides anew when others change the same records. A loser loses to a winner, so that among `n`
/// requests the last decides at most `n` times; more than this many at once on one subject and client is not a crowd
/// but a fault.
pub(crate) const ATTEMPTS: usize = 256;

use crate::client::{AuthenticatedClient, ClientMetadata, MetadataError, Presented, authenticate};
use crate::clock::Timestamp;
use crate::config::Policy;
use crate::context::Context;
use crate::limit::Limited;
use crate::refusal::TokenError;
use crate::store::Loaded;
use crate::token::mint::Located;

/// The grant types of the server itself that are served.
pub(crate) fn own_grant_types(policy: &Policy) -> Vec<&'static str> {
    let always = [authorization_code::GRANT_TYPE, refresh_token::GRANT_TYPE, client_credentials::GRANT_TYPE];
    always.into_iter().chain(policy.device.map(|_| device_code::GRANT_TYPE)).collect()
}

/// Whether metadata keeps every rule, for a server with these grant types.
pub(crate) fn check_metadata(context: &Context, metadata: &ClientMetadata) -> Result<(), MetadataError> {
    let own = own_grant_types(&context.policy);
    let known = |name: &str| own.contains(&name) || context.extension_grants.contains_key(name);
    let method = |name: &str| context.client_authentication.has(name);
    context.policy.check_metadata(metadata, &known, &method)
}

/// Loads client and artifact in one round trip, authenticates the client, and checks that it may use the grant type.
async fn load_for(
    context: &Context,
    presented: &Presented,
    grant_type: &str,
    artifact: Option<&Located>,
    now: Timestamp,
) -> Result<(AuthenticatedClient, Option<Loaded>), TokenError> {
    crate::observe::grant_type(grant_type);
    let client = context.keys.client(&presented.client_id);
    let (client, artifact) = match artifact {
        Some(located) => {
            let [client, artifact] = context.load_few([client, located.key]).await?;
            (client, artifact)
        }
        None => (context.load_one(client).await?, None),
    };
    let client = authenticate(presented, client.as_ref(), &context.keys, now)?;
    context.limiter.admit_client(Limited::Token, presented, &client, now).await?;
    if !client.client().metadata().allows(grant_type) {
        return Err(TokenError::GrantTypeNotAllowed);
    }
    Ok((client, artifact))
}
