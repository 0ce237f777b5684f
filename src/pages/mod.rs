//! What people see: the pages, and how a host puts its own in their place.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Pages`], and what each page is given |
//! | `plain.rs` | [`PlainPages`]: plain HTML that works without JavaScript |
//! | `plain_device.rs` | the same for devices: what [`Pages`] does where a host has no page of its own |

mod plain;
mod plain_device;

use crate::client::Origin;
use crate::secret::Secret;

pub use plain::PlainPages;

/// Draws pages. The server adds the headers that protect them (`attacks`: framing, caching, sniffing, referrer).
///
/// Whatever comes from a client is untrusted: escape it where it is put. [`wire::html`](crate::wire::html) has what is
/// needed.
pub trait Pages: Send + Sync + 'static {
    /// Asks the resource owner for consent.
    ///
    /// The form posts to `view.action`, with the hidden fields `handle` and `csrf`, one checkbox `scope` for each
    /// scope, and submit buttons named `decision` with the values `allow` and `deny`.
    fn consent(&self, view: &ConsentView<'_>) -> String;

    /// Tells the person at the browser what is wrong, where it cannot be told to the client.
    fn error(&self, view: &ErrorView<'_>) -> String;

    /// Posts an authorization response to the client (OAuth 2.0 Form Post Response Mode): a form with hidden fields
    /// that submits itself, and a button for browsers that will not.
    fn form_post(&self, view: &FormPostView<'_>) -> String;

    /// Asks for the code that a device shows (RFC 8628 §3.3).
    ///
    /// The form posts to `view.action`, with the hidden fields `handle` and `csrf` and a text field `user_code`.
    fn device_code(&self, view: &DeviceCodeView<'_>) -> String {
        plain_device::code(view)
    }

    /// Asks whether the device is to be let in. It must show the code, for the user to compare it with what the device
    /// shows (RFC 8628 §3.3.1): the page may have been opened by a link that somebody else sent (§5.4).
    ///
    /// The form is that of [`consent`](Self::consent).
    fn device_consent(&self, view: &DeviceConsentView<'_>) -> String {
        plain_device::consent(view)
    }

    /// Tells that it was decided, and that one may go back to the device.
    fn device_done(&self, view: &DeviceDoneView<'_>) -> String {
        plain_device::done(view)
    }

    /// Where the pages take styles, scripts and images from: directives of a content security policy, such as
    /// `style-src 'self'`.
    ///
    /// The server adds `default-src 'none'`, `base-uri 'none'`, `frame-ancestors 'none'` and `form-action`.
    fn sources(&self) -> String;
}

/// What the consent page is given. Its `Debug` output is without what decides: handle and csrf.
#[derive(Clone)]
#[non_exhaustive]
pub struct ConsentView<'a> {
    /// The client's name, made safe to show: cut to length, without tricks of writing direction. Still to be escaped.
    pub client_name: String,
    /// The client's home page, where it has one: http or https.
    pub client_uri: Option<&'a str>,
    /// Who describes the client: what it says of itself, name and home page, nobody has checked unless that is the
    /// host.
    pub client_origin: Origin,
    /// The host that answers for the client, where its identifier is the URL of a document.
    pub client_host: Option<&'a str>,
    /// Where the answer goes: a host, or the scheme of an application.
    pub redirect_host: String,
    /// Whether that is the user's own device, so that any program there could be asking.
    pub redirects_to_device: bool,
    /// As whom the user is signed in.
    pub user_name: &'a str,
    /// What is asked for: scope token and description.
    pub scopes: Vec<(&'a str, &'a str)>,
    /// For which resources; empty for any.
    pub resources: Vec<&'a str>,
    /// Where the form goes.
    pub action: &'a str,
    /// For the hidden field `handle`.
    pub handle: &'a str,
    /// For the hidden field `csrf`.
    pub csrf: &'a str,
}

/// What the page is given that asks for the code of a device.
#[derive(Clone)]
#[non_exhaustive]
pub struct DeviceCodeView<'a> {
    /// As whom the user is signed in.
    pub user_name: &'a str,
    /// Whether a code was tried that leads nowhere: unknown, expired, decided about, or no code at all.
    pub failed: bool,
    /// What was tried, to begin with: text that a stranger may have chosen. Empty at first.
    pub typed: &'a str,
    /// Where the form goes.
    pub action: &'a str,
    /// For the hidden field `handle`.
    pub handle: &'a str,
    /// For the hidden field `csrf`.
    pub csrf: &'a str,
}

/// What the page is given that asks whether a device is to be let in.
#[derive(Clone)]
#[non_exhaustive]
pub struct DeviceConsentView<'a> {
    /// The client's name, made safe to show. Still to be escaped.
    pub client_name: String,
    /// The client's home page, where it has one: http or https.
    pub client_uri: Option<&'a str>,
    /// The code to compare with what the device shows: `WDJB-MJHT`.
    pub user_code: String,
    /// As whom the user is signed in.
    pub user_name: &'a str,
    /// What is asked for: scope token and description.
    pub scopes: Vec<(&'a str, &'a str)>,
    /// For which resources; empty for any.
    pub resources: Vec<&'a str>,
    /// Where the form goes.
    pub action: &'a str,
    /// For the hidden field `handle`.
    pub handle: &'a str,
    /// For the hidden field `csrf`.
    pub csrf: &'a str,
}

/// What the page is given that tells what became of a device.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeviceDoneView<'a> {
    /// The client's name, made safe to show. Still to be escaped.
    pub client_name: &'a str,
    /// Whether it was let in.
    pub approved: bool,
}

impl std::fmt::Debug for DeviceCodeView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceCodeView").field("failed", &self.failed).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for DeviceConsentView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceConsentView")
            .field("client_name", &self.client_name)
            .field("user_name", &self.user_name)
            .field("scopes", &self.scopes)
            .field("resources", &self.resources)
            .finish_non_exhaustive()
    }
}

/// What the error page is given.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ErrorView<'a> {
    /// The status of the response.
    pub status: http::StatusCode,
    /// What is wrong, in a sentence. Holds nothing that came with the request.
    pub message: &'a str,
}

/// What the form-post page is given.
#[derive(Debug)]
#[non_exhaustive]
pub struct FormPostView<'a> {
    /// The client's redirect URI.
    pub action: &'a str,
    /// Names and values of the hidden fields.
    pub fields: Vec<(&'a str, Secret)>,
}

impl std::fmt::Debug for ConsentView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsentView")
            .field("client_name", &self.client_name)
            .field("client_origin", &self.client_origin)
            .field("client_host", &self.client_host)
            .field("redirect_host", &self.redirect_host)
            .field("user_name", &self.user_name)
            .field("scopes", &self.scopes)
            .field("resources", &self.resources)
            .finish_non_exhaustive()
    }
}

impl<'a> ErrorView<'a> {
    pub(crate) const fn new(status: http::StatusCode, message: &'a str) -> Self {
        Self { status, message }
    }
}
