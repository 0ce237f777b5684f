//! Plain HTML that works without JavaScript.

use std::fmt::Write as _;

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use super::{ConsentView, ErrorView, FormPostView, Pages};
use crate::client::Origin;
use crate::wire::html::escape;

/// The pages that come with the server: no images, no script but the line that submits a form-post response.
#[derive(Debug, Clone)]
pub struct PlainPages {
    sources: String,
}

const STYLE: &str = concat!(include_str!("look.css"), include_str!("plain.css"));

const SUBMIT: &str = "document.forms[0].submit()";

impl PlainPages {
    /// The pages.
    pub fn new() -> Self {
        let sources = format!("style-src {}; script-src {}", hash_source(STYLE), hash_source(SUBMIT));
        Self { sources }
    }

    /// A whole page in the look of these, for those that a host has of its own: where one signs in, for instance.
    ///
    /// `title` is text. `body` is HTML, for the one `<main>` of the page: escape what is foreign in it, give it an
    /// `<h1>`, and send it with the sources that [`sources`](Pages::sources) names.
    pub fn document(title: &str, body: &str) -> String {
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
            escape(title)
        )
    }
}

impl Default for PlainPages {
    fn default() -> Self {
        Self::new()
    }
}

fn hash_source(text: &str) -> String {
    let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
    format!("'sha256-{digest}'")
}

pub(super) const DECIDE: &str = "<div class=\"acts\">\n\
    <button type=\"submit\" name=\"decision\" value=\"deny\">Deny</button>\n\
    <button class=\"go\" type=\"submit\" name=\"decision\" value=\"allow\">Allow</button>\n</div>\n</form>\n";

/// The hidden fields of a form.
pub(super) fn hidden(body: &mut String, handle: &str, csrf: &str) {
    for (name, value) in [("handle", handle), ("csrf", csrf)] {
        let _ = writeln!(body, "<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value));
    }
}

/// What is asked for, to be allowed piece by piece, and where.
pub(super) fn may(body: &mut String, scopes: &[(&str, &str)], resources: &[&str]) {
    body.push_str("<fieldset class=\"scopes\">\n<legend>It may</legend>\n");
    for (name, description) in scopes {
        let shown = if description.is_empty() { name } else { description };
        let _ = writeln!(
            body,
            "<label><input type=\"checkbox\" name=\"scope\" value=\"{}\" checked><span>{}</span></label>",
            escape(name),
            escape(shown)
        );
    }
    body.push_str("</fieldset>\n");
    for resource in resources {
        let _ = writeln!(body, "<p class=\"soft\">At {}</p>", escape(resource));
    }
}

impl Pages for PlainPages {
    fn consent(&self, view: &ConsentView<'_>) -> String {
        let client = escape(&view.client_name);
        let mut body = format!("<h1>Allow {client} access to your account?</h1>\n");
        let _ = writeln!(body, "<p class=\"soft\">Signed in as <strong>{}</strong>.</p>", escape(view.user_name));
        if let Some(uri) = view.client_uri {
            let uri = escape(uri);
            let _ = writeln!(body, "<p class=\"soft\"><a href=\"{uri}\" rel=\"noopener noreferrer\">{uri}</a></p>");
        }
        match (view.client_origin, view.client_host) {
            (Origin::Host, _) => {}
            (_, Some(host)) => {
                let host = escape(host);
                let _ = writeln!(body, "<p class=\"soft\">The application belongs to <strong>{host}</strong>.</p>");
            }
            (_, None) => {
                body.push_str(
                    "<p class=\"warn\">The application registered itself: nobody has checked its name.</p>\n",
                );
            }
        }
        let _ = writeln!(body, "<form method=\"post\" action=\"{}\">", escape(view.action));
        hidden(&mut body, view.handle, view.csrf);
        may(&mut body, &view.scopes, &view.resources);
        let host = escape(&view.redirect_host);
        if view.redirects_to_device {
            let _ = writeln!(
                body,
                "<p class=\"warn\">The answer goes to a program on this device (<strong>{host}</strong>). \
                 Allow this only if you have just started it.</p>"
            );
        } else {
            let _ = writeln!(body, "<p class=\"soft\">You will be sent to <strong>{host}</strong>.</p>");
        }
        body.push_str(DECIDE);
        Self::document(&format!("Allow {}?", view.client_name), &body)
    }

    fn error(&self, view: &ErrorView<'_>) -> String {
        let body = format!(
            "<h1>This did not work</h1>\n<p>{}</p>\n<p class=\"soft\">Go back to the application and try again. \
             If that does not help, tell the people who run it.</p>\n",
            escape(view.message)
        );
        Self::document("This did not work", &body)
    }

    fn form_post(&self, view: &FormPostView<'_>) -> String {
        let mut body = format!("<h1>One moment</h1>\n<form method=\"post\" action=\"{}\">\n", escape(view.action));
        for (name, value) in &view.fields {
            let _ = writeln!(
                body,
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                escape(name),
                escape(value.expose())
            );
        }
        body.push_str("<p>If nothing happens, press the button.</p>\n");
        body.push_str("<div class=\"acts\"><button class=\"go\" type=\"submit\">Continue</button></div>\n</form>\n");
        let _ = writeln!(body, "<script>{SUBMIT}</script>");
        Self::document("One moment", &body)
    }

    fn sources(&self) -> String {
        self.sources.clone()
    }
}
