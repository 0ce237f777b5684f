//! What access tokens look like, where the host decides it.

use std::borrow::Cow;

use async_trait::async_trait;

use crate::error::Failure;
use crate::resource::Verified;
use crate::secret::Secret;
use crate::wire::bearer::is_b64token;

/// The text that clients are given for access tokens; see [`Builder::token_format`](crate::Builder::token_format).
///
/// For resource servers elsewhere that read what a token says off the token itself, such as a JWT (RFC 9068). Here a
/// token counts as long as it and all it hangs on do, whatever it looks like: what the host makes carries the server's
/// own token, and is exchanged for that when it is presented.
///
/// Refresh tokens, codes and personal tokens are the server's own. So are access tokens that were issued without the
/// format: they go on.
#[async_trait]
pub trait TokenFormat: Send + Sync + 'static {
    /// The text for a token that is about to be issued, by what it says. [`read`](Self::read) must find `token` in it.
    ///
    /// At most 8,000 bytes of what a bearer token may hold: letters, digits and `-._~+/`, and `=` at the end (RFC 6750
    /// §2.1). Asked before anything is written, and possibly more than once for one request; a refresh that is sent
    /// again has it written again.
    ///
    /// # Errors
    ///
    /// The request fails, and nothing is issued: [`Failure::Unavailable`] where what signs cannot be reached.
    async fn write(&self, token: &Secret, says: &Verified) -> Result<String, Failure>;

    /// The server's own token in a text that was presented; `None` for a text that this format did not write, which is
    /// looked up as it is. It may believe what it reads: the token in it proves itself.
    fn read<'t>(&self, text: &'t str) -> Option<Cow<'t, str>>;
}

/// The longest token, in bytes: with the name of the scheme it fits into the header that is read.
const LONGEST: usize = 8_000;

/// The text for a token; an error where it is none that could be presented.
pub(crate) async fn write(format: &dyn TokenFormat, token: &Secret, says: &Verified) -> Result<Secret, Failure> {
    let text = Secret::new(format.write(token, says).await?);
    let sound = text.expose().len() <= LONGEST && is_b64token(text.expose());
    let found = format.read(text.expose()).is_some_and(|read| read == token.expose());
    if sound && found { Ok(text) } else { Err(Failure::Corrupt) }
}
