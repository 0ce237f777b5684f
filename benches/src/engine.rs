//! In process, one thread: what a request costs, from its parsed parameters to the response body; and ours from `http::Request` on.

use rand::seq::SliceRandom as _;

use crate::Options;
use crate::measure::{Contender, FLOOR, OURS, Row, SLICE, Target, row, sliced};
use crate::party::{Floor, OauthAs, Ours, Oxide, Pair, Party};

pub const OURS_HTTP: &str = "ours, http";
pub const OXIDE: &str = "oxide-auth";
pub const OAUTH_AS: &str = "oauth-as";
pub const OAUTH_AS_HTTP: &str = "oauth-as, http";
const PEERS: &[&str] = &[OXIDE, OAUTH_AS];

pub fn run(options: &Options) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |wanted: &str, make: &dyn Fn() -> Vec<Row>| {
        if options.wants(wanted) {
            rows.extend(make());
        }
    };
    let live = options.live;
    add("client_credentials", &|| vec![client_credentials(options)]);
    add("verify", &|| vec![verify(options, live)]);
    add("introspection", &|| vec![introspection(options, live)]);
    add("refresh", &|| [100, live].into_iter().map(|live| refresh(options, live)).collect());
    if options.million {
        add("refresh", &|| vec![refresh(options, 1_000_000)]);
        add("verify", &|| vec![verify(options, 1_000_000)]);
        add("introspection", &|| vec![introspection(options, 1_000_000)]);
    }
    add("flow", &|| vec![flow(options)]);
    add("exchange", &|| vec![exchange(options)]);
    add("revocation", &|| [1, 100, 10_000].into_iter().map(|tokens| revocation(options, tokens)).collect());
    add("reuse", &|| [1, 10, 10_000].into_iter().map(|tokens| reuse(options, tokens)).collect());
    add("registration", &|| vec![registration(options)]);
    rows
}

fn client_credentials(options: &Options) -> Row {
    let batch = 5_000;
    let (mut ours, mut floor, mut oxide) = (Ours::default().engine(), Floor::new(), Oxide::default());
    let (mut oauth_as, mut service, mut over_http) = (OauthAs::engine(), OauthAs::http(), Ours::default());
    let contenders = vec![
        Contender::new(OURS, || sliced(batch, |times| ours.issue(times))),
        Contender::new(FLOOR, || sliced(batch, |times| floor.issue(times))),
        Contender::new(OXIDE, || sliced(batch, |times| oxide.issue(times))),
        Contender::new(OAUTH_AS, || sliced(batch, |times| oauth_as.issue(times))),
        Contender::new(OAUTH_AS_HTTP, || sliced(batch, |times| service.issue(times))),
        Contender::new(OURS_HTTP, || sliced(batch, |times| over_http.issue(times))),
    ];
    row("client_credentials", options.rounds, contenders, &[Target::Faster(1.25, PEERS), Target::Within(1.75, FLOOR)])
}

/// Tokens in an order of their own, some at a time.
struct Picks {
    tokens: Vec<String>,
    at: usize,
}

impl Picks {
    fn new(mut tokens: Vec<String>) -> Self {
        tokens.shuffle(&mut rand::rng());
        Self { tokens, at: 0 }
    }

    /// The next few, as fresh copies: a token that is presented was just read from the network.
    fn next(&mut self, count: usize) -> Vec<String> {
        let count = count.min(self.tokens.len());
        if self.at + count > self.tokens.len() {
            self.at = 0;
        }
        self.at += count;
        self.tokens[self.at - count..self.at].to_vec()
    }
}

fn access(pairs: Vec<Pair>) -> Picks {
    Picks::new(pairs.into_iter().map(|(access, _)| access).collect())
}

fn verify(options: &Options, live: usize) -> Row {
    fn contender<'a, P: Party + 'a>(name: &'static str, mut party: P, live: usize) -> Contender<'a> {
        let mut picks = access(party.grants(live));
        Contender::new(name, move || sliced(10_000, |times| party.verify(&picks.next(times))))
    }
    let contenders = vec![
        contender(OURS, Ours::default().engine(), live),
        contender(FLOOR, Floor::new(), live),
        contender(OXIDE, Oxide::default(), live),
        contender(OAUTH_AS, OauthAs::engine(), live),
    ];
    let targets = [Target::Faster(2.0, PEERS), Target::Within(2.0, FLOOR)];
    row(&format!("verify, {live} grants"), options.rounds, contenders, &targets)
}

fn introspection(options: &Options, live: usize) -> Row {
    fn contender<'a, P: Party + 'a>(name: &'static str, mut party: P, live: usize) -> Contender<'a> {
        let mut picks = Picks::new(party.tokens(live));
        Contender::new(name, move || sliced(5_000, |times| party.introspect(&picks.next(times))))
    }
    let contenders = vec![
        contender(OURS, Ours::default().engine(), live),
        contender(FLOOR, Floor::new(), live),
        contender(OAUTH_AS, OauthAs::engine(), live),
        contender(OAUTH_AS_HTTP, OauthAs::http(), live),
        contender(OURS_HTTP, Ours::default(), live),
    ];
    let targets = [Target::Faster(2.0, PEERS), Target::Within(2.0, FLOOR)];
    row(&format!("introspection, {live} tokens"), options.rounds, contenders, &targets)
}

fn refresh(options: &Options, live: usize) -> Row {
    fn contender<'a, P: Party + 'a>(name: &'static str, mut party: P, live: usize) -> Contender<'a> {
        let mut tokens: Vec<String> = party.grants(live).into_iter().map(|(_, refresh)| refresh).collect();
        tokens.shuffle(&mut rand::rng());
        let mut at = 0;
        Contender::new(name, move || {
            sliced(2_000, |times| {
                if at + times > tokens.len() {
                    at = 0;
                }
                let (cost, next) = party.refresh(&tokens[at..at + times]);
                for (place, (_, refresh)) in tokens[at..at + times].iter_mut().zip(next) {
                    *place = refresh;
                }
                at += times;
                cost
            })
        })
    }
    let contenders = vec![
        contender(OURS, Ours::default().engine(), live),
        contender(FLOOR, Floor::new(), live),
        contender(OXIDE, Oxide::default(), live),
        contender(OAUTH_AS, OauthAs::engine(), live),
        contender(OAUTH_AS_HTTP, OauthAs::http(), live),
        contender(OURS_HTTP, Ours::default(), live),
    ];
    let targets = [Target::Faster(2.0, &[OAUTH_AS]), Target::Faster(1.0, &[OXIDE]), Target::Within(1.75, FLOOR)];
    row(&format!("refresh, {live} grants"), options.rounds, contenders, &targets)
}

fn flow(options: &Options) -> Row {
    fn contender<'a, P: Party + 'a>(name: &'static str, mut party: P) -> Contender<'a> {
        Contender::new(name, move || sliced(2_000, |times| party.flow(times).0))
    }
    let contenders = vec![
        contender(OURS, Ours::default().engine()),
        contender(FLOOR, Floor::new()),
        contender(OXIDE, Oxide::default()),
        contender(OAUTH_AS, OauthAs::engine()),
        contender(OAUTH_AS_HTTP, OauthAs::http()),
        contender(OURS_HTTP, Ours::default()),
    ];
    let targets = [Target::Faster(2.0, PEERS), Target::Within(1.75, FLOOR)];
    row("code + PKCE: authorize, approve, exchange", options.rounds, contenders, &targets)
}

fn exchange(options: &Options) -> Row {
    let (mut ours, mut floor) = (Ours::default().engine(), Floor::new());
    let contenders = vec![
        Contender::new(OURS, || {
            sliced(2_000, |times| {
                let (_, codes) = ours.codes(times);
                ours.exchange(&codes).0
            })
        }),
        Contender::new(FLOOR, || {
            sliced(2_000, |times| {
                let (_, codes) = floor.codes(times);
                floor.exchanges(&codes).0
            })
        }),
    ];
    row("code exchange alone", options.rounds, contenders, &[Target::Within(1.75, FLOOR)])
}

/// Families of so many tokens: the newest refresh token and the oldest of each.
fn families(party: &mut dyn Party, count: usize, tokens: usize) -> (Vec<String>, Vec<String>) {
    let first: Vec<String> = party.grants(count).into_iter().map(|(_, refresh)| refresh).collect();
    let mut newest = first.clone();
    for _ in 0..tokens / 2 {
        newest = party.refresh(&newest).1.into_iter().map(|(_, refresh)| refresh).collect();
    }
    (newest, first)
}

fn per_family(tokens: usize, options: &Options) -> (usize, usize) {
    match tokens {
        0..=1_000 => (SLICE, options.rounds),
        _ => (8, options.rounds.min(5)),
    }
}

fn revocation(options: &Options, tokens: usize) -> Row {
    fn contender<'a, P: Party + 'a>(name: &'static str, mut party: P, tokens: usize, batch: usize) -> Contender<'a> {
        Contender::new(name, move || {
            let (newest, _) = families(&mut party, batch, tokens);
            party.revoke(&newest)
        })
    }
    let (batch, rounds) = per_family(tokens, options);
    let contenders = vec![
        contender(OURS, Ours::default().engine(), tokens, batch),
        contender(FLOOR, Floor::new(), tokens, batch),
        contender(OAUTH_AS, OauthAs::engine(), tokens, batch.min(5)),
    ];
    row(&format!("revocation, family of {tokens}"), rounds, contenders, &[Target::Nanos(10_000.0)])
}

fn reuse(options: &Options, tokens: usize) -> Row {
    fn contender<'a, P: Party + 'a>(
        name: &'static str,
        mut party: P,
        live: usize,
        tokens: usize,
        batch: usize,
    ) -> Contender<'a> {
        party.grants(live);
        Contender::new(name, move || {
            let (_, first) = families(&mut party, batch, tokens.max(2));
            party.reuse(&first)
        })
    }
    let (batch, rounds) = per_family(tokens, options);
    let live = options.live;
    let contenders = vec![
        contender(OURS, Ours::strict().engine(), live, tokens, batch),
        contender(FLOOR, Floor::new(), live, tokens, batch),
        contender(OAUTH_AS, OauthAs::engine(), live, tokens, batch.min(2)),
    ];
    let work = format!("reuse detected, family of {tokens} at {live} grants");
    row(&work, rounds, contenders, &[Target::Nanos(10_000.0)])
}

fn registration(options: &Options) -> Row {
    let batch = 1_000;
    let (mut ours, mut floor, mut oxide) = (Ours::default(), Floor::new(), Oxide::default());
    let mut oauth_as = OauthAs::engine();
    let contenders = vec![
        Contender::new(OURS, || sliced(batch, |times| ours.register(times))),
        Contender::new(FLOOR, || sliced(batch, |times| floor.register(times))),
        Contender::new(OXIDE, || sliced(batch, |times| oxide.register(times))),
        Contender::new(OAUTH_AS, || sliced(batch, |times| oauth_as.register(times))),
    ];
    row("registration of a client", options.rounds, contenders, &[])
}
