//! The configuration file: TOML, where an unknown key or a bad value is an error that names the line and the key.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use grantor::client::{ClientMetadata, MetadataError};
use grantor::manage::{ManageError, Registration};
use grantor::secret::Secret;
use grantor::store::StoreError;
use grantor::wire::scope::Scope;
use grantor::{ClientId, ConfigError, DeviceAuthorization, Lifetimes, Limits, ScopeDefinition};
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::mcp::Mcp;
use crate::store::{Loss, Place};

/// What the server is told, once it is known to make sense; what only the library can judge comes later.
pub(crate) struct Config {
    pub(crate) issuer: String,
    pub(crate) listen: SocketAddr,
    pub(crate) store: Place,
    pub(crate) accepted_loss: Option<Loss>,
    /// `None` for a store in memory, whose server draws a new one each time.
    pub(crate) secret_file: Option<PathBuf>,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) limits: Limits,
    /// Whether devices without a browser are let in, and how.
    pub(crate) device: Option<DeviceAuthorization>,
    /// Whether the endpoints are limited, and not the user codes of devices alone.
    pub(crate) rate_limits: bool,
    pub(crate) scopes: Vec<ScopeDefinition>,
    /// Scope tokens that a client or a resource names and `[[scopes]]` does not.
    pub(crate) undescribed: Vec<String>,
    pub(crate) users: Vec<User>,
    pub(crate) clients: Vec<Registration>,
    pub(crate) resources: Vec<(String, Vec<String>)>,
    pub(crate) management: crate::management::Management,
    pub(crate) registration: crate::registration::Registration,
    /// The MCP server that this is the authorization server of.
    pub(crate) mcp: Option<Mcp>,
    source: Source,
}

/// Somebody who can sign in.
#[derive(Debug)]
pub(crate) struct User {
    /// What they type, and the subject of their tokens.
    pub(crate) username: String,
    pub(crate) password: Secret,
    /// What pages call them: the claim `name`, or else the user name.
    pub(crate) name: String,
}

/// What is wrong, and where.
#[derive(Debug)]
pub(crate) struct Problem {
    file: String,
    line: Option<usize>,
    key: String,
    message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ", {}", self.key)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Problem {}

// --- the file, as it is written ------------------------------------------------------------------------------------

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "they are called as in the file")]
struct File {
    issuer: String,
    #[serde(default = "default_listen")]
    listen: String,
    #[serde(default = "default_store")]
    store: String,
    secret_file: Option<PathBuf>,
    danger_accept_loss: Option<Loss>,
    #[serde(default)]
    lifetimes: LifetimesTable,
    #[serde(default)]
    limits: LimitsTable,
    #[serde(default)]
    device: DeviceTable,
    #[serde(default)]
    rate_limits: RateLimitsTable,
    #[serde(default)]
    scopes: Vec<ScopeTable>,
    #[serde(default)]
    users: Vec<UserTable>,
    #[serde(default)]
    resources: Vec<ResourceTable>,
    #[serde(default)]
    management: crate::management::Management,
    #[serde(default)]
    registration: crate::registration::Registration,
    mcp: Option<Mcp>,
    // `clients` is taken out before: its tables are read as the library's own `ClientMetadata`.
}

fn default_listen() -> String {
    "127.0.0.1:8080".into()
}

fn default_store() -> String {
    "sqlite:grantor.db".into()
}

const DEFAULT_SECRET_FILE: &str = "grantor.secret";

/// Seconds; what is not given is as the library has it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LifetimesTable {
    access_token: Option<u64>,
    refresh_token: Option<u64>,
    grant: Option<u64>,
    authorization_code: Option<u64>,
    refresh_retry_window: Option<u64>,
    interaction: Option<u64>,
    consent: Option<u64>,
    personal_token: Option<u64>,
    clock_skew: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsTable {
    grants_per_subject_and_client: Option<u32>,
    personal_tokens_per_subject: Option<u32>,
}

impl LimitsTable {
    fn limits(&self) -> Limits {
        let default = Limits::default();
        Limits {
            grants_per_subject_and_client: self
                .grants_per_subject_and_client
                .unwrap_or(default.grants_per_subject_and_client),
            personal_tokens_per_subject: self
                .personal_tokens_per_subject
                .unwrap_or(default.personal_tokens_per_subject),
        }
    }
}

/// Off unless `enabled`; in seconds.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceTable {
    #[serde(default)]
    enabled: bool,
    lifetime: Option<u64>,
    interval: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RateLimitsTable {
    #[serde(default)]
    enabled: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeTable {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    default: bool,
    #[serde(default)]
    user_only: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserTable {
    username: String,
    password: Secretive,
    #[serde(default)]
    claims: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceTable {
    identifier: String,
    #[serde(default)]
    scopes: Vec<String>,
}

/// What stands in a `[[clients]]` table beside the metadata.
#[derive(Deserialize)]
struct Credentials {
    client_id: ClientId,
    client_secret: Option<Secretive>,
}

const CREDENTIALS: [&str; 2] = ["client_id", "client_secret"];

/// Text that no error message repeats.
#[derive(Deserialize)]
#[serde(try_from = "toml::Value")]
struct Secretive(Secret);

impl TryFrom<toml::Value> for Secretive {
    type Error = &'static str;

    fn try_from(value: toml::Value) -> Result<Self, Self::Error> {
        match value {
            toml::Value::String(text) => Ok(Self(text.into())),
            _ => Err("must be a string"),
        }
    }
}

impl LifetimesTable {
    fn lifetimes(&self) -> Lifetimes {
        let or = |given: Option<u64>, default| given.map_or(default, Duration::from_secs);
        let default = Lifetimes::default();
        Lifetimes {
            access_token: or(self.access_token, default.access_token),
            refresh_token: or(self.refresh_token, default.refresh_token),
            grant: or(self.grant, default.grant),
            authorization_code: or(self.authorization_code, default.authorization_code),
            refresh_retry_window: or(self.refresh_retry_window, default.refresh_retry_window),
            interaction: or(self.interaction, default.interaction),
            consent: or(self.consent, default.consent),
            personal_token: or(self.personal_token, default.personal_token),
            clock_skew: or(self.clock_skew, default.clock_skew),
        }
    }
}

impl DeviceTable {
    fn settings(&self) -> Option<DeviceAuthorization> {
        let default = DeviceAuthorization::default();
        let or = |given: Option<u64>, default| given.map_or(default, Duration::from_secs);
        let settings = default.lifetime(or(self.lifetime, default.lifetime));
        self.enabled.then(|| settings.interval(or(self.interval, default.interval)))
    }
}

// --- reading -------------------------------------------------------------------------------------------------------

impl Config {
    /// What is served when there is no file; the files that it names are in the working directory.
    pub(crate) fn demo() -> Result<Self, Problem> {
        Self::parse("examples/server/demo.toml", include_str!("demo.toml"), Path::new(""))
    }

    /// Reads a file; those that it names are beside it.
    pub(crate) fn read(path: &str) -> Result<Self, Problem> {
        let text = std::fs::read_to_string(path).map_err(|error| Problem {
            file: path.to_owned(),
            line: None,
            key: String::new(),
            message: error.to_string(),
        })?;
        Self::parse(path, &text, Path::new(path).parent().unwrap_or(Path::new("")))
    }

    fn parse(name: &str, text: &str, directory: &Path) -> Result<Self, Problem> {
        let source = Source { name: name.to_owned(), text: text.to_owned() };
        let wrong = |error: &toml::de::Error| source.problem_at(error.span(), error.message());
        let mut document = DeTable::parse(text).map_err(|error| wrong(&error))?;
        let clients = document.get_mut().remove("clients");
        let file = File::deserialize(toml::Deserializer::from(document)).map_err(|error| wrong(&error))?;
        let clients = match clients {
            Some(clients) => source.clients(clients)?,
            None => Vec::new(),
        };

        let listen = file.listen.parse().map_err(|_| {
            let message = "must be an address and a port, such as 127.0.0.1:8080 or [::1]:8080";
            source.problem(&[Step::Key("listen")], message)
        })?;
        let store =
            Place::parse(&file.store, directory).map_err(|message| source.problem(&[Step::Key("store")], &message))?;
        let secret_file = match (file.secret_file, &store) {
            (None, Place::Memory) => None,
            (given, _) => Some(directory.join(given.unwrap_or(DEFAULT_SECRET_FILE.into()))),
        };
        let scopes: Vec<_> = file.scopes.into_iter().map(ScopeTable::into_definition).collect();
        let resources: Vec<_> = file.resources.into_iter().map(|table| (table.identifier, table.scopes)).collect();
        let mut undescribed = undescribed(&scopes, &clients, &resources);
        undescribed.retain(|name| !file.management.describes(name));
        let lifetimes = match &file.mcp {
            Some(_) => Mcp::lifetimes(file.lifetimes.lifetimes(), file.lifetimes.access_token),
            None => file.lifetimes.lifetimes(),
        };
        Ok(Self {
            issuer: file.issuer,
            listen,
            store,
            accepted_loss: file.danger_accept_loss,
            secret_file,
            lifetimes,
            limits: file.limits.limits(),
            device: file.device.settings(),
            rate_limits: file.rate_limits.enabled,
            scopes,
            undescribed,
            users: source.users(file.users)?,
            clients,
            resources,
            management: file.management,
            registration: file.registration.beside(file.mcp.as_ref()),
            mcp: file.mcp,
            source,
        })
    }

    /// The line of what the library would not take of the whole.
    pub(crate) fn refused(&self, error: &ConfigError) -> Problem {
        let path = match error {
            ConfigError::Issuer(_) => vec![Step::Key("issuer")],
            ConfigError::Lifetime { name: name @ ("device.lifetime" | "device.interval"), .. } => {
                vec![Step::Key("device"), Step::Key(name.trim_start_matches("device."))]
            }
            ConfigError::Lifetime { name, .. } => vec![Step::Key("lifetimes"), Step::Key(name)],
            ConfigError::Limit { name, .. } => vec![Step::Key("limits"), Step::Key(name)],
            ConfigError::Scope { name, .. } => {
                // The last of that name: the first is no mistake if there are two.
                let at = self.scopes.iter().rposition(|scope| scope.name == *name).unwrap_or(0);
                vec![Step::Key("scopes"), Step::Index(at), Step::Key("name")]
            }
            ConfigError::Resource { identifier, .. }
                if self.mcp.as_ref().is_some_and(|mcp| mcp.resource == *identifier) =>
            {
                vec![Step::Key("mcp"), Step::Key("resource")]
            }
            ConfigError::Resource { identifier, .. } => {
                let at = self.resources.iter().rposition(|(known, _)| known == identifier).unwrap_or(0);
                vec![Step::Key("resources"), Step::Index(at), Step::Key("identifier")]
            }
            ConfigError::Registration(_) => vec![Step::Key("registration")],
            _ => Vec::new(),
        };
        let message = match error {
            ConfigError::Issuer(error) => error.to_string(),
            error => error.to_string(),
        };
        self.source.problem(&path, &message)
    }

    /// The line of the store, which cannot be opened.
    pub(crate) fn store_problem(&self, error: &StoreError) -> Problem {
        self.source.problem(&[Step::Key("store")], &error.to_string())
    }

    /// The line of what the library would not take of a client.
    pub(crate) fn client_refused(&self, client: usize, error: &ManageError) -> Problem {
        let key = match error {
            ManageError::ClientId | ManageError::Taken => "client_id",
            ManageError::Secret | ManageError::PublicClient => "client_secret",
            ManageError::Metadata(error) => metadata_key(error),
            _ => "",
        };
        self.client_problem(client, key, &error.to_string())
    }

    /// A mistake in a client.
    pub(crate) fn client_problem(&self, client: usize, key: &str, message: &str) -> Problem {
        self.source.problem(&[Step::Key("clients"), Step::Index(client), Step::Key(key)], message)
    }
}

/// Which member of the metadata an error is about.
fn metadata_key(error: &MetadataError) -> &'static str {
    match error {
        MetadataError::RedirectUri { .. } | MetadataError::RedirectUris | MetadataError::RedirectUriMissing => {
            "redirect_uris"
        }
        MetadataError::PublicWithoutPkce => "require_pkce",
        MetadataError::PublicWithClientCredentials | MetadataError::GrantType | MetadataError::RefreshWithoutSource => {
            "grant_types"
        }
        MetadataError::PublicWithoutRotation => "refresh_token_rotation",
        MetadataError::PublicResourceServer => "resource_server",
        MetadataError::ResponseType => "response_types",
        MetadataError::Scope => "scope",
        MetadataError::Resource => "resources",
        MetadataError::Text(key) | MetadataError::Url(key) | MetadataError::Lifetime(key) => key,
        _ => "",
    }
}

impl ScopeTable {
    fn into_definition(self) -> ScopeDefinition {
        let Self { name, description, default, user_only } = self;
        let scope = ScopeDefinition::new(name, description);
        let scope = if default { scope.default() } else { scope };
        if user_only { scope.user_only() } else { scope }
    }
}

/// Every scope token that is used and not described: it is served all the same, and the consent page shows its name.
fn undescribed(
    scopes: &[ScopeDefinition],
    clients: &[Registration],
    resources: &[(String, Vec<String>)],
) -> Vec<String> {
    let of_clients = clients.iter().flat_map(|client| client.metadata.scope.tokens());
    // What is no scope token is left for the library to refuse, with the resource it stands at.
    let of_resources = resources.iter().flat_map(|(_, names)| names.iter().map(String::as_str));
    let sound = of_resources.filter(|name| Scope::parse(name).is_ok_and(|scope| scope.as_str() == *name));
    let mut found: Vec<String> = Vec::new();
    for name in of_clients.chain(sound.filter(|name| !name.contains(' '))) {
        if !scopes.iter().any(|scope| scope.name == name) && !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    }
    found
}

// --- where things stand --------------------------------------------------------------------------------------------

#[derive(Debug)]
struct Source {
    name: String,
    text: String,
}

/// One step on the way to a value.
#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl Source {
    fn users(&self, tables: Vec<UserTable>) -> Result<Vec<User>, Problem> {
        let mut users: Vec<User> = Vec::new();
        for (index, table) in tables.into_iter().enumerate() {
            let wrong =
                |key, message: &str| self.problem(&[Step::Key("users"), Step::Index(index), Step::Key(key)], message);
            if !(1..=255).contains(&table.username.len()) || table.username.chars().any(char::is_control) {
                return Err(wrong("username", "must be 1 to 255 bytes, without control characters"));
            }
            if users.iter().any(|other| other.username == table.username) {
                return Err(wrong("username", "there is another user of that name"));
            }
            if table.password.0.expose().is_empty() {
                return Err(wrong("password", "must not be empty"));
            }
            let name = table.claims.get("name").and_then(toml::Value::as_str).unwrap_or(&table.username).to_owned();
            users.push(User { username: table.username, password: table.password.0, name });
        }
        Ok(users)
    }

    fn clients(&self, clients: Spanned<DeValue<'_>>) -> Result<Vec<Registration>, Problem> {
        let span = clients.span();
        let DeValue::Array(tables) = clients.into_inner() else {
            return Err(self.problem_at(Some(span), "must be written as [[clients]] tables"));
        };
        tables.into_iter().map(|table| self.client(table)).collect()
    }

    fn client(&self, table: Spanned<DeValue<'_>>) -> Result<Registration, Problem> {
        let wrong = |error: &toml::de::Error| self.problem_at(error.span(), error.message());
        let span = table.span();
        let DeValue::Table(mut metadata) = table.into_inner() else {
            return Err(self.problem_at(Some(span), "must be a table"));
        };
        let mut own = DeTable::new();
        for key in CREDENTIALS {
            if let Some((key, value)) = metadata.remove_entry(key) {
                own.insert(key, value);
            }
        }
        let own = toml::Deserializer::from(Spanned::new(span.clone(), own));
        let Credentials { client_id, client_secret } = Credentials::deserialize(own).map_err(|error| wrong(&error))?;
        let metadata = toml::Deserializer::from(Spanned::new(span, metadata));
        let metadata = ClientMetadata::deserialize(metadata).map_err(|error| wrong(&error))?;
        let client_secret = client_secret.map(|secret| secret.0);
        Ok(Registration { metadata, client_id: Some(client_id), client_secret })
    }

    /// A problem with the value that a path leads to; where the file does not have it, with the nearest thing above.
    fn problem(&self, path: &[Step<'_>], message: &str) -> Problem {
        let document = DeTable::parse(&self.text).ok();
        let at = document.and_then(|document| offset_of(document.get_ref(), path));
        let name = path.iter().map(|step| match step {
            Step::Key(key) => (*key).to_owned(),
            Step::Index(at) => format!("[{at}]"),
        });
        let names: Vec<_> = name.filter(|name| !name.is_empty()).collect();
        self.named(at, names.join(".").replace(".[", "["), message)
    }

    /// A problem with the value that stands at a place.
    fn problem_at(&self, span: Option<Range<usize>>, message: &str) -> Problem {
        let at = span.map(|span| span.start);
        let document = DeTable::parse(&self.text).ok();
        let path = document.zip(at).and_then(|(document, at)| path_to(document.get_ref(), at));
        let path = path.or_else(|| self.key_before(at?));
        self.named(at, path.unwrap_or_default(), message)
    }

    /// The key at the beginning of the line, for a file that cannot be parsed.
    fn key_before(&self, at: usize) -> Option<String> {
        let line = self.text.get(..at)?.lines().next_back()?;
        let key = line.split_once('=')?.0.trim();
        let is_bare = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        is_bare.then(|| key.to_owned())
    }

    fn named(&self, at: Option<usize>, key: String, message: &str) -> Problem {
        let line = at.and_then(|at| self.text.get(..at)).map(|before| before.matches('\n').count().saturating_add(1));
        // One line, however the parser puts it.
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        Problem { file: self.name.clone(), line, key, message }
    }
}

fn offset_of(table: &DeTable<'_>, path: &[Step<'_>]) -> Option<usize> {
    let (Step::Key(key), rest) = path.split_first()? else { return None };
    let (key, value) = table.get_key_value(*key)?;
    let (value, here, rest) = match (value.get_ref(), rest) {
        (DeValue::Array(array), [Step::Index(index), rest @ ..]) => {
            let element = array.get(*index)?;
            (element.get_ref(), element.span().start, rest)
        }
        (value, rest) => (value, key.span().start, rest),
    };
    let deeper = match value {
        DeValue::Table(table) => offset_of(table, rest),
        _ => None,
    };
    Some(deeper.unwrap_or(here))
}

/// The name of the innermost key or value that covers the place `at`.
fn path_to(table: &DeTable<'_>, at: usize) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let name = key.get_ref();
        let covers = || key.span().contains(&at) || value.span().contains(&at);
        match value.get_ref() {
            DeValue::Table(inner) => path_to(inner, at).map(|path| format!("{name}.{path}")),
            DeValue::Array(array) => array.iter().enumerate().find_map(|(index, element)| match element.get_ref() {
                DeValue::Table(inner) => path_to(inner, at)
                    .map(|path| format!("{name}[{index}].{path}"))
                    .or_else(|| element.span().contains(&at).then(|| format!("{name}[{index}]"))),
                _ => None,
            }),
            _ => None,
        }
        .or_else(|| covers().then(|| name.clone().into_owned()))
    })
}
