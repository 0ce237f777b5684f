//! The pages for devices, in plain HTML: what [`Pages`](super::Pages) does where a host has no page of its own.

use std::fmt::Write as _;

use super::plain::{DECIDE, hidden, may};
use super::{DeviceCodeView, DeviceConsentView, DeviceDoneView, PlainPages};
use crate::wire::html::escape;

pub(super) fn code(view: &DeviceCodeView<'_>) -> String {
    let mut body = String::from("<h1>Connect a device</h1>\n");
    let _ = writeln!(body, "<p class=\"soft\">Signed in as <strong>{}</strong>.</p>", escape(view.user_name));
    let _ = writeln!(body, "<form method=\"post\" action=\"{}\">", escape(view.action));
    hidden(&mut body, view.handle, view.csrf);
    let described = if view.failed { " aria-describedby=\"wrong\" aria-invalid=\"true\"" } else { "" };
    if view.failed {
        body.push_str(
            "<p class=\"bad\" id=\"wrong\" role=\"alert\">This code is not valid. Compare it with what the device \
             shows; if it has been there for long, let the device show another.</p>\n",
        );
    }
    let _ = writeln!(
        body,
        "<label for=\"user_code\">The code that the device shows</label>\n\
         <input type=\"text\" class=\"code\" id=\"user_code\" name=\"user_code\" value=\"{}\" required autofocus maxlength=\"64\" \
         autocomplete=\"off\" autocapitalize=\"characters\" spellcheck=\"false\" placeholder=\"XXXX-XXXX\"{described}>",
        escape(view.typed)
    );
    body.push_str(
        "<div class=\"acts\"><button class=\"go\" type=\"submit\">Continue</button></div>\n</form>\n\
         <p class=\"soft\">Type a code only from a device that you have before you. Whoever sends you one wants to \
         use your account.</p>\n",
    );
    PlainPages::document("Connect a device", &body)
}

pub(super) fn consent(view: &DeviceConsentView<'_>) -> String {
    let client = escape(&view.client_name);
    let mut body = format!("<h1>Connect {client} to your account?</h1>\n");
    let _ = writeln!(body, "<p class=\"soft\">Signed in as <strong>{}</strong>.</p>", escape(view.user_name));
    if let Some(uri) = view.client_uri {
        let uri = escape(uri);
        let _ = writeln!(body, "<p class=\"soft\"><a href=\"{uri}\" rel=\"noopener noreferrer\">{uri}</a></p>");
    }
    let _ = writeln!(body, "<form method=\"post\" action=\"{}\">", escape(view.action));
    hidden(&mut body, view.handle, view.csrf);
    let _ = writeln!(
        body,
        "<p>The device must show this code:</p>\n<p class=\"code\">{}</p>\n\
         <p class=\"warn\">If you have no such device before you, or it shows another code, deny it: somebody else wants \
         to use your account.</p>",
        escape(&view.user_code)
    );
    may(&mut body, &view.scopes, &view.resources);
    body.push_str(DECIDE);
    PlainPages::document(&format!("Connect {}?", view.client_name), &body)
}

pub(super) fn done(view: &DeviceDoneView<'_>) -> String {
    let client = escape(view.client_name);
    let (title, text) = if view.approved {
        ("The device is connected", format!("{client} has access now. You can go back to your device."))
    } else {
        ("The device was turned away", format!("{client} has got no access. You can close this page."))
    };
    PlainPages::document(title, &format!("<h1>{title}</h1>\n<p>{text}</p>\n"))
}
