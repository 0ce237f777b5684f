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

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1d2329;--soft:#57606a;--page:#f6f7f9;--card:#fff;--line:#d8dde3;--go:#0b57d0}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#a4adb6;--page:#14181c;--card:#1d2329;--line:#39424b;--go:#8ab4f8}}\
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}\
main{max-width:28rem;margin:8vh auto;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem}\
@media(max-width:32rem){main{margin:0;border:0;border-radius:0;min-height:100vh;padding:1.5rem}}\
h1{font-size:1.25rem;line-height:1.3;margin:0 0 1rem;overflow-wrap:anywhere}p{margin:0 0 1rem;overflow-wrap:anywhere}\
.soft{color:var(--soft);font-size:.9rem}fieldset{border:1px solid var(--line);border-radius:.5rem;margin:0 0 1rem;padding:.5rem 1rem}\
legend{padding:0 .25rem}label{display:flex;gap:.75rem;padding:.4rem 0;align-items:baseline}label span{overflow-wrap:anywhere}\
.warn{border-left:.25rem solid #bf8700;padding-left:.75rem}.acts{display:flex;gap:.75rem;flex-wrap:wrap}\
button{flex:1;font:inherit;padding:.6rem 1.25rem;border-radius:.5rem;border:1px solid var(--line);background:none;color:inherit;cursor:pointer}\
button.go{background:var(--go);border-color:var(--go);color:var(--card);font-weight:600}";

const SUBMIT: &str = "document.forms[0].submit()";

impl PlainPages {
    /// The pages.
    pub fn new() -> Self {
        let sources = format!("style-src {}; script-src {}", hash_source(STYLE), hash_source(SUBMIT));
        Self { sources }
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

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        escape(title)
    )
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
                let _ = writeln!(
                    body,
                    "<p class=\"soft\">This application calls itself {client}. It belongs to <strong>{}</strong>.</p>",
                    escape(host)
                );
            }
            (_, None) => {
                let _ = writeln!(
                    body,
                    "<p class=\"warn\">This application calls itself {client}. It registered itself: nobody has checked \
                     its name.</p>"
                );
            }
        }
        let _ = writeln!(body, "<form method=\"post\" action=\"{}\">", escape(view.action));
        for (name, value) in [("handle", view.handle), ("csrf", view.csrf)] {
            let _ = writeln!(body, "<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value));
        }
        body.push_str("<fieldset>\n<legend>It may</legend>\n");
        for (name, description) in &view.scopes {
            let shown = if description.is_empty() { name } else { description };
            let _ = writeln!(
                body,
                "<label><input type=\"checkbox\" name=\"scope\" value=\"{}\" checked><span>{}</span></label>",
                escape(name),
                escape(shown)
            );
        }
        body.push_str("</fieldset>\n");
        for resource in &view.resources {
            let _ = writeln!(body, "<p class=\"soft\">At {}</p>", escape(resource));
        }
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
        body.push_str(
            "<div class=\"acts\">\n<button type=\"submit\" name=\"decision\" value=\"deny\">Deny</button>\n\
             <button class=\"go\" type=\"submit\" name=\"decision\" value=\"allow\">Allow</button>\n</div>\n</form>\n",
        );
        page(&format!("Allow {}?", view.client_name), &body)
    }

    fn error(&self, view: &ErrorView<'_>) -> String {
        let body = format!(
            "<h1>This did not work</h1>\n<p>{}</p>\n<p class=\"soft\">Go back to the application and try again. \
             If that does not help, tell the people who run it.</p>\n",
            escape(view.message)
        );
        page("This did not work", &body)
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
        page("One moment", &body)
    }

    fn sources(&self) -> String {
        self.sources.clone()
    }
}
