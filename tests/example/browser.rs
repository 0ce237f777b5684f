//! What a browser does: keeps cookies, follows redirects within the site, and fills in forms.

use std::collections::BTreeMap;

use grantor::wire::form::{decode_component, encode_component};

use crate::http::{Answer, exchange};

/// A browser with its cookies. It knows the server by its URL, and reaches it at an address.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    origin: String,
    address: String,
    pub(crate) cookies: BTreeMap<String, String>,
    /// Every `Set-Cookie` that it was ever sent.
    pub(crate) set_cookies: Vec<String>,
    /// Headers that it adds to each request.
    pub(crate) adds: Vec<(&'static str, String)>,
}

/// A page, or a redirect that leads elsewhere.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) answer: Answer,
    /// The URL that it came from.
    pub(crate) url: String,
}

/// A form with what it is filled with.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Browser {
    pub(crate) fn new(origin: &str, address: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            address: address.to_owned(),
            cookies: BTreeMap::new(),
            set_cookies: Vec::new(),
            adds: Vec::new(),
        }
    }

    /// One request, without following where it leads.
    pub(crate) fn request(&mut self, method: &str, url: &str, body: &str) -> Page {
        let path = url.strip_prefix(&self.origin).unwrap_or(url);
        assert!(path.starts_with('/'), "{url} is not of {}", self.origin);
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut headers: Vec<(&str, &str)> = self.adds.iter().map(|(name, value)| (*name, value.as_str())).collect();
        if !cookies.is_empty() {
            headers.push(("cookie", &cookies));
        }
        if method == "POST" {
            headers.push(("content-type", "application/x-www-form-urlencoded"));
        }
        let path = path.split('#').next().unwrap();
        let answer = exchange(&self.address, method, path, &headers, body).unwrap();
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            self.set_cookies.push(cookie.clone());
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Page { answer, url: format!("{}{path}", self.origin) }
    }

    /// Opens a URL, and follows redirects as long as they stay on the site.
    pub(crate) fn open(&mut self, url: &str) -> Page {
        let page = self.request("GET", url, "");
        self.follow(page)
    }

    /// Sends a form, and follows redirects as long as they stay on the site.
    pub(crate) fn submit(&mut self, form: &Form) -> Page {
        let fields: Vec<_> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let page = self.request("POST", &form.action, &encode(&fields));
        self.follow(page)
    }

    fn follow(&mut self, mut page: Page) -> Page {
        for _ in 0..10 {
            let location = page.answer.header("location");
            let here = format!("{}/", self.origin);
            let own = location.starts_with(&here) || location.starts_with('/') && !location.starts_with("//");
            if page.answer.status != 303 || !own {
                return page;
            }
            let location = location.to_owned();
            page = self.request("GET", &location, "");
        }
        panic!("redirects without end, at {}", page.url);
    }

    /// Fills in the sign-in page, and goes where that leads.
    pub(crate) fn sign_in(&mut self, page: &Page, username: &str, password: &str) -> Page {
        let form = page.form().with("username", username).with("password", password);
        self.submit(&form)
    }

    /// Opens an authorization request, signs in as alice if asked to, and comes as far as the consent page, or back to
    /// the client.
    pub(crate) fn authorize(&mut self, url: &str) -> Page {
        let page = self.open(url);
        if page.is_sign_in() { self.sign_in(&page, "alice", "wonderland") } else { page }
    }

    /// The same, and allows what is asked for.
    pub(crate) fn allow(&mut self, url: &str) -> Page {
        let page = self.authorize(url);
        self.submit(&page.form().with("decision", "allow"))
    }

    /// The value of the session cookie.
    pub(crate) fn session(&self) -> Option<&str> {
        self.cookies.iter().find(|(name, _)| name.ends_with("grantor-session")).map(|(_, value)| value.as_str())
    }
}

impl Page {
    pub(crate) fn is_sign_in(&self) -> bool {
        self.answer.body.contains("name=\"password\"")
    }

    pub(crate) fn is_consent(&self) -> bool {
        self.answer.status == 200 && self.answer.body.contains("name=\"decision\"")
    }

    /// The parameters with which it leads back to the client.
    pub(crate) fn parameters(&self) -> BTreeMap<String, String> {
        let location = self.answer.header("location");
        assert!(self.answer.status == 303, "no redirect: {self:?}");
        let query = location.split_once('?').map_or("", |(_, query)| query).split('#').next().unwrap();
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), decode_component(value).unwrap().into_owned())).collect()
    }

    /// The code that it brings to the client.
    pub(crate) fn code(&self) -> String {
        self.parameters().remove("code").unwrap_or_else(|| panic!("no code: {self:?}"))
    }

    /// The form of the page, filled as the page has it: checked boxes are checked, and no button is pressed.
    pub(crate) fn form(&self) -> Form {
        let body = &self.answer.body;
        let form = body.split_once("<form ").unwrap_or_else(|| panic!("no form: {self:?}")).1;
        let form = form.split_once("</form>").unwrap().0;
        let action = attribute(form.split_once('>').unwrap().0, "action").unwrap();
        let inputs = form.split("<input ").skip(1).map(|rest| rest.split_once('>').unwrap().0);
        let filled = inputs.filter(|input| !input.contains("type=\"checkbox\"") || input.contains(" checked"));
        let fields = filled.filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)));
        Form { action, fields: fields.collect() }
    }
}

impl Form {
    /// With one more field, or another value in it.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut form = self.without(name);
        form.fields.push((name.to_owned(), value.to_owned()));
        form
    }

    /// Without a field.
    pub(crate) fn without(&self, name: &str) -> Self {
        let fields = self.fields.iter().filter(|(own, _)| own != name).cloned().collect();
        Self { action: self.action.clone(), fields }
    }

    /// The value of a field.
    pub(crate) fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    /// All values of a field.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// Fields as a form has them on the wire.
pub(crate) fn encode(fields: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        encode_component(&mut text, name);
        text.push('=');
        encode_component(&mut text, value);
    }
    text
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split_once(&format!("{name}=\""))?.1.split_once('"')?.0;
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    Some(plain.iter().fold(value.to_owned(), |text, (escaped, char)| text.replace(escaped, char)))
}
