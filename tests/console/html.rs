//! Just enough HTML to read the console's pages, and strict: what a browser would mend fails the test, for that is where
//! markup of strangers would begin.

use std::collections::HashMap;

/// A page: its elements in order.
pub struct Page {
    pub elements: Vec<Element>,
}

pub struct Element {
    pub name: String,
    pub attributes: HashMap<String, String>,
    /// The text that stands directly or deeper in it.
    pub text: String,
    parents: Vec<usize>,
}

/// A form that is sent by POST, with what it would send.
#[derive(Clone)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

const VOID: [&str; 4] = ["meta", "input", "link", "img"];

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
                let is_open = !VOID.contains(&element.name.as_str());
                page.elements.push(element);
                rest = after;
                if is_open {
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

    pub fn all<'p>(&'p self, name: &str) -> impl Iterator<Item = &'p Element> {
        self.elements.iter().filter(move |element| element.name == name)
    }

    #[track_caller]
    pub fn only(&self, name: &str) -> &Element {
        let all: Vec<_> = self.all(name).collect();
        let [only] = all[..] else { panic!("{} of <{name}>", all.len()) };
        only
    }

    pub fn text(&self) -> &str {
        &self.only("main").text
    }

    pub fn by_id(&self, id: &str) -> Option<&Element> {
        self.elements.iter().find(|element| element.attributes.get("id").is_some_and(|own| own == id))
    }

    /// Where the links lead.
    pub fn links(&self) -> Vec<&str> {
        self.all("a").map(|link| link.attributes["href"].as_str()).collect()
    }

    /// The form that is sent by POST, filled as it comes.
    pub fn form(&self) -> Option<Form> {
        let at = self.elements.iter().position(|element| {
            element.name == "form" && element.attributes.get("method").is_some_and(|method| method == "post")
        })?;
        let mut fields = Vec::new();
        for (position, element) in self.elements.iter().enumerate() {
            if !element.parents.contains(&at) {
                continue;
            }
            let attribute = |name: &str| element.attributes.get(name).cloned();
            match element.name.as_str() {
                "input"
                    if matches!(attribute("type").as_deref(), Some("checkbox" | "radio"))
                        && attribute("checked").is_none() => {}
                "input" => fields.push((attribute("name").unwrap(), attribute("value").unwrap_or_default())),
                "textarea" => fields.push((attribute("name").unwrap(), element.text.clone())),
                "select" => {
                    let mut options = self.all("option").filter(|option| option.parents.contains(&position));
                    let chosen = options.find(|option| option.attributes.contains_key("selected"));
                    fields
                        .extend(chosen.map(|chosen| (attribute("name").unwrap(), chosen.attributes["value"].clone())));
                }
                _ => {}
            }
        }
        Some(Form { action: self.elements[at].attributes["action"].clone(), fields })
    }
}

impl Form {
    /// The same, with another value for a field; all of that name give way.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(own, _)| own != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(own, _)| own != name);
        self
    }

    pub fn value(&self, name: &str) -> &str {
        &self.fields.iter().find(|(own, _)| own == name).unwrap_or_else(|| panic!("no field {name}")).1
    }
}

/// Reads a tag behind its `<`: attributes in double quotes, each once.
fn read_tag<'h>(tag: &'h str, open: &[usize]) -> (Element, &'h str) {
    let end = tag.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit()).expect("the end of a name");
    let (name, mut rest) = tag.split_at(end);
    assert!(!name.is_empty(), "a stray <");
    let mut attributes = HashMap::new();
    while let Some(attribute) = rest.strip_prefix(' ') {
        let end = attribute.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').expect("the end of a name");
        let (attribute, after) = attribute.split_at(end);
        assert!(!attribute.is_empty(), "a stray space in <{name}");
        let value;
        (value, rest) = match after.strip_prefix("=\"") {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"').expect("a closing quote");
                assert!(!value.contains('<'), "a < in an attribute");
                (unescape(value), after)
            }
            None => (String::new(), after),
        };
        assert!(attributes.insert(attribute.to_owned(), value).is_none(), "{attribute} twice");
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
        let number = name.strip_prefix('#').unwrap_or_else(|| panic!("the unknown reference &{name};"));
        out.push(char::from_u32(number.parse().unwrap()).unwrap());
        out.push_str(rest);
    }
    out
}
