//! The floor: what the work costs when nothing is done twice, in straight-line programs without an engine.
//!
//! Parsed parameters in, JSON out: the same hashing, randomness, map operations and JSON that the work cannot do without; strict
//! where a server must be strict (comparison of secrets), and one read of the clock. No grants, no events, no partitions, no policy.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{BuildHasherDefault, Hasher};
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng as _;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Pair, Party};
use crate::measure::{Cost, cost};
use crate::wire;

type Id = [u8; 32];

/// A digest is as good as its hash.
#[derive(Default)]
struct Prefix(u64);

impl Hasher for Prefix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _: usize) {}
}

const SHARDS: usize = 64;

struct Sharded<V>([Mutex<HashMap<Id, V, BuildHasherDefault<Prefix>>>; SHARDS]);

impl<V> Default for Sharded<V> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

impl<V> Sharded<V> {
    fn with<R>(&self, id: &Id, work: impl FnOnce(&mut HashMap<Id, V, BuildHasherDefault<Prefix>>) -> R) -> R {
        work(&mut self.0[usize::from(id[31]) % SHARDS].lock().unwrap())
    }
}

/// A token, and all that is said of it.
struct Token {
    issued_at: u64,
    expires_at: u64,
    spent: bool,
    family: u64,
    client: Arc<str>,
    subject: Option<Arc<str>>,
    scope: Arc<str>,
}

struct Code {
    expires_at: u64,
    spent: bool,
    client: Arc<str>,
    subject: Arc<str>,
    scope: Arc<str>,
    redirect_uri: Arc<str>,
    challenge: [u8; 32],
}

struct Registered {
    id: Arc<str>,
    secret: Option<[u8; 32]>,
    scope: Arc<str>,
    redirect_uri: Arc<str>,
}

#[derive(Default)]
pub struct Floor {
    clients: Mutex<HashMap<String, Arc<Registered>>>,
    tokens: Sharded<Token>,
    codes: Sharded<Code>,
    revoked: Mutex<HashMap<u64, u64>>,
    users: u64,
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn digest(text: &str) -> Id {
    Sha256::digest(text.as_bytes()).into()
}

/// 32 random bytes, as text.
fn random() -> String {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A form that was parsed: every escape must be one, the result must be UTF-8 without control characters, and no name may come twice.
pub struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut pairs: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::with_capacity(8);
        for piece in text.split('&').filter(|piece| !piece.is_empty()) {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if pairs.iter().any(|(other, _)| *other == name) {
                return None;
            }
            pairs.push((name, value));
        }
        Some(Self(pairs))
    }

    fn get(&self, wanted: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == wanted).map(|(_, value)| &**value)
    }
}

fn decode(raw: &str) -> Option<Cow<'_, str>> {
    if raw.bytes().all(|byte| byte >= 0x20 && byte != 0x7f && byte != b'%' && byte != b'+') {
        return Some(Cow::Borrowed(raw));
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        let plain = match byte {
            b'+' => b' ',
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                (high << 4 | low) as u8
            }
            other => other,
        };
        if plain < 0x20 || plain == 0x7f {
            return None;
        }
        bytes.push(plain);
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

impl Floor {
    pub fn new() -> Self {
        let floor = Self::default();
        for (id, secret) in [(wire::SERVICE, Some(digest(wire::SECRET))), (wire::APP, None)] {
            let registered =
                Registered { id: id.into(), secret, scope: "read write".into(), redirect_uri: wire::CALLBACK.into() };
            floor.clients.lock().unwrap().insert(id.to_owned(), Arc::new(registered));
        }
        floor
    }

    fn client(&self, id: &str) -> Option<Arc<Registered>> {
        self.clients.lock().unwrap().get(id).cloned()
    }

    fn authenticate(&self, id: &str, secret: &str) -> Option<Arc<Registered>> {
        let client = self.client(id)?;
        let same: bool = digest(secret).ct_eq(client.secret.as_ref()?).into();
        same.then_some(client)
    }

    fn mint(
        &self,
        now: u64,
        lives: u64,
        family: u64,
        client: &Arc<str>,
        subject: Option<&Arc<str>>,
        scope: &Arc<str>,
    ) -> String {
        let text = random();
        let id = digest(&text);
        let token = Token {
            issued_at: now,
            expires_at: now + lives,
            spent: false,
            family,
            client: Arc::clone(client),
            subject: subject.cloned(),
            scope: Arc::clone(scope),
        };
        self.tokens.with(&id, |shard| shard.insert(id, token));
        text
    }

    pub fn client_credentials(&self, form: &Form<'_>, id: &str, secret: &str) -> Option<String> {
        if form.get("grant_type")? != "client_credentials" {
            return None;
        }
        let client = self.authenticate(id, secret)?;
        let scope = form.get("scope")?;
        if !scope.split(' ').all(|asked| client.scope.split(' ').any(|known| known == asked)) {
            return None;
        }
        let scope: Arc<str> = scope.into();
        let token = self.mint(now(), 43_200, 0, &client.id, None, &scope);
        Some(answer(&token, None, &scope))
    }

    pub fn introspection(&self, form: &Form<'_>, id: &str, secret: &str) -> Option<String> {
        let caller = self.authenticate(id, secret)?;
        let id = digest(form.get("token")?);
        let now = now();
        self.tokens.with(&id, |shard| {
            let token = shard.get(&id).filter(|token| token.expires_at > now && token.client == caller.id)?;
            let mut out = String::with_capacity(256);
            out.push_str("{\"active\":true,\"scope\":\"");
            out.push_str(&token.scope);
            out.push_str("\",\"client_id\":\"");
            out.push_str(&token.client);
            let _ =
                write!(out, "\",\"token_type\":\"Bearer\",\"exp\":{},\"iat\":{}", token.expires_at, token.issued_at);
            if let Some(subject) = &token.subject {
                let _ = write!(out, ",\"sub\":\"{subject}\"");
            }
            out.push_str(",\"iss\":\"https://auth.example.com\"}");
            Some(out)
        })
    }

    pub fn lookup(&self, token: &str) -> Option<Arc<str>> {
        let id = digest(token);
        let now = now();
        self.tokens.with(&id, |shard| {
            shard.get(&id).filter(|token| token.expires_at > now).map(|token| Arc::clone(&token.client))
        })
    }

    pub fn authorize(&self, form: &Form<'_>, subject: &Arc<str>) -> Option<String> {
        let client = self.client(form.get("client_id")?)?;
        let redirect_uri = form.get("redirect_uri")?;
        if redirect_uri != &*client.redirect_uri
            || form.get("response_type")? != "code"
            || form.get("code_challenge_method")? != "S256"
        {
            return None;
        }
        let mut challenge = [0; 32];
        URL_SAFE_NO_PAD.decode_slice(form.get("code_challenge")?, &mut challenge).ok()?;
        let scope = form.get("scope")?;
        if !scope.split(' ').all(|asked| client.scope.split(' ').any(|known| known == asked)) {
            return None;
        }
        let text = random();
        let id = digest(&text);
        let code = Code {
            expires_at: now() + 60,
            spent: false,
            client: Arc::clone(&client.id),
            subject: Arc::clone(subject),
            scope: scope.into(),
            redirect_uri: Arc::clone(&client.redirect_uri),
            challenge,
        };
        self.codes.with(&id, |shard| shard.insert(id, code));
        let mut location = String::with_capacity(192);
        location.push_str(redirect_uri);
        location.push_str("?code=");
        location.push_str(&text);
        location.push_str("&state=");
        location.push_str(form.get("state")?);
        location.push_str("&iss=https%3A%2F%2Fauth.example.com");
        Some(location)
    }

    pub fn exchange(&self, form: &Form<'_>) -> Option<String> {
        if form.get("grant_type")? != "authorization_code" {
            return None;
        }
        let client = self.client(form.get("client_id")?)?;
        let id = digest(form.get("code")?);
        let verified: [u8; 32] = Sha256::digest(form.get("code_verifier")?).into();
        let redirect_uri = form.get("redirect_uri")?;
        let now = now();
        let (subject, scope) = self.codes.with(&id, |shard| {
            let code = shard.get_mut(&id)?;
            let same: bool = code.challenge.ct_eq(&verified).into();
            if code.spent
                || code.expires_at <= now
                || code.client != client.id
                || *code.redirect_uri != *redirect_uri
                || !same
            {
                return None;
            }
            code.spent = true;
            Some((Arc::clone(&code.subject), Arc::clone(&code.scope)))
        })?;
        let family = rand::rng().next_u64();
        let access = self.mint(now, 43_200, family, &client.id, Some(&subject), &scope);
        let refresh = self.mint(now, 2_592_000, family, &client.id, Some(&subject), &scope);
        Some(answer(&access, Some(&refresh), &scope))
    }

    pub fn rotate(&self, form: &Form<'_>) -> Option<String> {
        if form.get("grant_type")? != "refresh_token" {
            return None;
        }
        let client = self.client(form.get("client_id")?)?;
        let id = digest(form.get("refresh_token")?);
        let now = now();
        let (family, subject, scope) = self.tokens.with(&id, |shard| {
            let token = shard.get_mut(&id)?;
            if token.client != client.id || token.expires_at <= now {
                return None;
            }
            if token.spent {
                self.revoked.lock().unwrap().insert(token.family, now);
                return None;
            }
            token.spent = true;
            Some((token.family, token.subject.clone(), Arc::clone(&token.scope)))
        })?;
        let access = self.mint(now, 43_200, family, &client.id, subject.as_ref(), &scope);
        let refresh = self.mint(now, 2_592_000, family, &client.id, subject.as_ref(), &scope);
        Some(answer(&access, Some(&refresh), &scope))
    }
}

impl Floor {
    pub fn codes(&mut self, times: usize) -> (Cost, Vec<String>) {
        let query = wire::authorize_query();
        let requests: Vec<(Form<'_>, Arc<str>)> = (0..times)
            .map(|_| {
                self.users += 1;
                (Form::parse(&query).unwrap(), format!("user-{}", self.users).into())
            })
            .collect();
        let (cost, locations) = all(requests, |(form, user)| self.authorize(&form, &user));
        (cost, locations.iter().map(|location| wire::code_of(location)).collect())
    }

    pub fn exchanges(&self, codes: &[String]) -> (Cost, Vec<Pair>) {
        let bodies: Vec<String> = codes.iter().map(|code| wire::exchange_body(code)).collect();
        let (cost, answers) = all(parsed(&bodies), |form| self.exchange(&form));
        (cost, answers.iter().map(|body| pair(body)).collect())
    }
}

fn answer(access: &str, refresh: Option<&str>, scope: &str) -> String {
    let mut out = String::with_capacity(256);
    out.push_str("{\"access_token\":\"");
    out.push_str(access);
    out.push_str("\",\"token_type\":\"Bearer\",\"expires_in\":43200");
    if let Some(refresh) = refresh {
        out.push_str(",\"refresh_token\":\"");
        out.push_str(refresh);
        out.push('"');
    }
    out.push_str(",\"scope\":\"");
    out.push_str(scope);
    out.push_str("\"}");
    out
}

fn pair(body: &str) -> Pair {
    (wire::member(body, "access_token"), wire::member(body, "refresh_token"))
}

fn parsed(bodies: &[String]) -> Vec<Form<'_>> {
    bodies.iter().map(|body| Form::parse(body).unwrap()).collect()
}

fn all<T>(inputs: Vec<T>, work: impl Fn(T) -> Option<String>) -> (Cost, Vec<String>) {
    let mut answers = Vec::with_capacity(inputs.len());
    let (cost, ()) = cost(inputs.len(), || {
        for input in inputs {
            answers.push(work(input).unwrap());
        }
    });
    (cost, answers)
}

impl Party for Floor {
    fn issue(&mut self, times: usize) -> Cost {
        let forms: Vec<Form<'_>> = (0..times).map(|_| Form::parse(wire::CLIENT_CREDENTIALS).unwrap()).collect();
        cost(times, || {
            for form in forms {
                black_box(self.client_credentials(&form, wire::SERVICE, black_box(wire::SECRET)).unwrap());
            }
        })
        .0
    }

    fn tokens(&mut self, times: usize) -> Vec<String> {
        let form = Form::parse(wire::CLIENT_CREDENTIALS).unwrap();
        let one = |_| self.client_credentials(&form, wire::SERVICE, wire::SECRET).unwrap();
        (0..times).map(one).map(|body| wire::member(&body, "access_token")).collect()
    }

    fn flow(&mut self, times: usize) -> (Cost, Vec<Pair>) {
        let (first, codes) = self.codes(times);
        let (second, pairs) = self.exchanges(&codes);
        (Cost { nanos: first.nanos + second.nanos, ..first }, pairs)
    }

    fn refresh(&mut self, tokens: &[String]) -> (Cost, Vec<Pair>) {
        let bodies: Vec<String> = tokens.iter().map(|token| wire::refresh_body(token)).collect();
        let (cost, answers) = all(parsed(&bodies), |form| self.rotate(&form));
        (cost, answers.iter().map(|body| pair(body)).collect())
    }

    fn verify(&mut self, tokens: &[String]) -> Cost {
        cost(tokens.len(), || {
            for token in tokens {
                black_box(self.lookup(token).unwrap());
            }
        })
        .0
    }

    fn introspect(&mut self, tokens: &[String]) -> Cost {
        let bodies: Vec<String> = tokens.iter().map(|token| wire::token_body(token)).collect();
        let forms = parsed(&bodies);
        cost(tokens.len(), || {
            for form in forms {
                black_box(self.introspection(&form, wire::SERVICE, black_box(wire::SECRET)).unwrap());
            }
        })
        .0
    }

    fn revoke(&mut self, tokens: &[String]) -> Cost {
        let bodies: Vec<String> = tokens.iter().map(|token| wire::token_body(token)).collect();
        let forms = parsed(&bodies);
        cost(tokens.len(), || {
            for form in forms {
                let id = digest(form.get("token").unwrap());
                let family = self.tokens.with(&id, |shard| shard.get(&id).map(|token| token.family)).unwrap();
                self.revoked.lock().unwrap().insert(family, now());
            }
        })
        .0
    }

    fn reuse(&mut self, spent: &[String]) -> Cost {
        let bodies: Vec<String> = spent.iter().map(|token| wire::refresh_body(token)).collect();
        let forms = parsed(&bodies);
        cost(spent.len(), || {
            for form in forms {
                assert!(self.rotate(&form).is_none());
            }
        })
        .0
    }

    fn register(&mut self, times: usize) -> Cost {
        cost(times, || {
            for _ in 0..times {
                let mut id = [0; 16];
                rand::rng().fill_bytes(&mut id);
                let id: Arc<str> = URL_SAFE_NO_PAD.encode(id).into();
                let secret = random();
                let registered = Registered {
                    id: Arc::clone(&id),
                    secret: Some(digest(&secret)),
                    scope: "read write".into(),
                    redirect_uri: wire::CALLBACK.into(),
                };
                self.clients.lock().unwrap().insert(id.to_string(), Arc::new(registered));
                black_box(secret);
            }
        })
        .0
    }
}
