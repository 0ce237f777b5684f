//! Just enough HTML to read the server's pages, and strict: what a browser would mend fails the test, for that is where
//! markup of strangers would begin.

use std::collections::HashMap;

/// A page: its elements in order.
#[derive(Debug)]
pub struct Page {
    pub elements: Vec<Element>,
}

/// An element, with its attributes, and the text that stands directly or deeper in it.
#[derive(Debug, Clone)]
pub struct Element {
    pub name: String,
    pub attributes: HashMap<String, String>,
    pub text: String,
    /// Which forms, fieldsets and so on it stands in.
    parents: Vec<usize>,
}

/// A form.
#[derive(Debug, Clone)]
pub struct Form {
    pub method: String,
    pub action: String,
    pub inputs: Vec<Input>,
    /// Names and values of the submit buttons.
    pub buttons: Vec<(String, String)>,
}

/// A field of a form.
#[derive(Debug, Clone)]
pub struct Input {
    pub name: String,
    pub kind: String,
    pub value: String,
    pub checked: bool,
}

/// Elements without content.
const VOID: [&str; 2] = ["meta", "input"];
/// Elements whose content is no markup.
const RAW: [&str; 2] = ["style", "script"];

impl Page {
    #[track_caller]
    pub fn read(html: &str) -> Self {
        let mut rest = html.strip_prefix("<!doctype html>").expect("a doctype");
        let mut page = Self { elements: Vec::new() };
        let mut open: Vec<usize> = Vec::new();
        while !rest.is_empty() {
            if let Some(tag) = rest.strip_prefix("</") {
                let (name, after) = tag.split_once('>').expect("the end of a tag");
                let closed = open.pop().unwrap_or_else(|| panic!("</{name}> closes nothing"));
                assert_eq!(page.elements[closed].name, name, "wrong nesting");
                rest = after;
            } else if let Some(tag) = rest.strip_prefix('<') {
                let (element, after) = read_tag(tag, &open);
                let name = element.name.clone();
                page.elements.push(element);
                rest = after;
                if RAW.contains(&name.as_str()) {
                    let (text, after) = rest.split_once(&format!("</{name}>")).expect("the end of raw text");
                    page.elements.last_mut().unwrap().text.push_str(text);
                    rest = after;
                } else if !VOID.contains(&name.as_str()) {
                    open.push(page.elements.len() - 1);
                }
            } else {
                let end = rest.find('<').unwrap_or(rest.len());
                let text = unescape(&rest[..end]);
                for parent in &open {
                    page.elements[*parent].text.push_str(&text);
                }
                rest = &rest[end..];
            }
        }
        assert!(open.is_empty(), "something is left open");
        page
    }

    /// The names of all elements, in order.
    pub fn names(&self) -> Vec<&str> {
        self.elements.iter().map(|element| element.name.as_str()).collect()
    }

    pub fn all(&self, name: &str) -> Vec<&Element> {
        self.elements.iter().filter(|element| element.name == name).collect()
    }

    #[track_caller]
    pub fn only(&self, name: &str) -> &Element {
        let [only] = self.all(name)[..] else { panic!("{} of <{name}>", self.all(name).len()) };
        only
    }

    /// What one reads.
    pub fn text(&self) -> &str {
        &self.only("main").text
    }

    /// The only form.
    #[track_caller]
    pub fn form(&self) -> Form {
        let form = self.only("form");
        let at = self.elements.iter().position(|element| element.name == "form").unwrap();
        let within = |name: &str| -> Vec<&Element> {
            self.all(name).into_iter().filter(|element| element.parents.contains(&at)).collect()
        };
        assert_eq!(within("input").len(), self.all("input").len(), "an input outside of the form");
        let inputs = within("input").into_iter().map(|input| Input {
            name: input.attribute("name").to_owned(),
            kind: input.attribute("type").to_owned(),
            value: input.attribute("value").to_owned(),
            checked: input.attributes.contains_key("checked"),
        });
        let buttons = within("button").into_iter().map(|button| {
            assert_eq!(button.attribute("type"), "submit");
            let or_empty = |name: &str| button.attributes.get(name).cloned().unwrap_or_default();
            (or_empty("name"), or_empty("value"))
        });
        Form {
            method: form.attribute("method").to_owned(),
            action: form.attribute("action").to_owned(),
            inputs: inputs.collect(),
            buttons: buttons.collect(),
        }
    }
}

impl Element {
    #[track_caller]
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }
}

impl Form {
    /// What is sent when the button with this value is pressed and nothing else was touched.
    pub fn filled(&self, button: Option<&str>) -> Vec<(String, String)> {
        let sent = self.inputs.iter().filter(|input| input.kind != "checkbox" || input.checked);
        let pressed = self.buttons.iter().filter(|(_, value)| Some(value.as_str()) == button);
        sent.map(|input| (input.name.clone(), input.value.clone())).chain(pressed.cloned()).collect()
    }
}

/// Reads a tag behind its `<`: lower case, attributes in double quotes, each once.
fn read_tag<'h>(tag: &'h str, open: &[usize]) -> (Element, &'h str) {
    let end = tag.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit()).expect("the end of a name");
    let (name, mut rest) = tag.split_at(end);
    assert!(!name.is_empty(), "a stray <");
    let mut attributes = HashMap::new();
    while let Some(attribute) = rest.strip_prefix(' ') {
        let end = attribute.find(|c: char| !c.is_ascii_lowercase() && c != '-').expect("the end of a name");
        let (name, after) = attribute.split_at(end);
        assert!(!name.is_empty(), "a stray space");
        let value;
        (value, rest) = match after.strip_prefix("=\"") {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"').expect("a closing quote");
                assert!(!value.contains('<'), "a < in an attribute");
                (unescape(value), after)
            }
            None => (String::new(), after),
        };
        assert!(attributes.insert(name.to_owned(), value).is_none(), "{name} twice");
    }
    let rest = rest.strip_prefix('>').unwrap_or_else(|| panic!("not the end of <{name}: {rest:.20}"));
    (Element { name: name.to_owned(), attributes, text: String::new(), parents: open.to_vec() }, rest)
}

/// Decodes character references; a `&` or `>` that is not one fails.
fn unescape(text: &str) -> String {
    assert!(!text.contains('>'), "a stray > in {text}");
    let mut pieces = text.split('&');
    let mut out = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once(';').unwrap_or_else(|| panic!("a stray & in {text}"));
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#39" => '\'',
            other => panic!("the unknown reference &{other};"),
        });
        out.push_str(rest);
    }
    out
}
