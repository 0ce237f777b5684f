//! One thread and two: how much more two do.
//!
//! By the wall, since a thread that waits for a lock uses no CPU. On a machine that others use, too, two threads of anything do less
//! than twice as much: beside ours stands what two threads that share nothing reach in the same rounds.

use std::sync::Barrier;
use std::thread;

use crate::Options;
use crate::measure::{Judged, OURS, Row, SLICE, hash, median, summary, wall};
use crate::party::{OauthAs, Ours, Party};

const OAUTH_AS: &str = "oauth-as";
const ALONE: &str = "sharing nothing";

/// Operations per second by the wall, so many threads doing `batch` each.
fn rate(workers: &mut [Worker<'_>], batch: usize) -> f64 {
    let start = Barrier::new(workers.len());
    let count = workers.len();
    let slowest = thread::scope(|scope| {
        let handles: Vec<_> = workers
            .iter_mut()
            .map(|work| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    let begun = wall();
                    work(batch);
                    wall() - begun
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).max().unwrap()
    });
    (count * batch) as f64 / slowest as f64 * 1e9
}

type Work = fn(&mut dyn Party, usize);

fn slices(times: usize, mut slice: impl FnMut(usize)) {
    for _ in 0..times / SLICE {
        slice(SLICE);
    }
}

type Worker<'a> = Box<dyn FnMut(usize) + Send + 'a>;

fn workers<'a, P: Party + Send + 'a>(parties: Vec<P>, work: Work) -> Vec<Worker<'a>> {
    parties.into_iter().map(|mut party| Box::new(move |times| work(&mut party, times)) as Worker<'_>).collect()
}

fn scale(name: &str, options: &Options, work: Work, target: Option<f64>) -> Row {
    let (ours, oauth_as) = (Ours::default(), OauthAs::engine());
    let batch = 4_096;
    let hash = |times| hash(times * 64);
    let mut contenders: Vec<(&str, Vec<Worker<'_>>)> = vec![
        (OURS, workers(vec![ours.share(1), ours.share(2)], work)),
        (ALONE, vec![Box::new(hash), Box::new(hash)]),
        (OAUTH_AS, workers(vec![oauth_as.share(1), oauth_as.share(2)], work)),
    ];
    let mut samples: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    for _ in 0..=options.rounds {
        for (samples, (_, workers)) in samples.iter_mut().zip(&mut contenders) {
            let one = rate(&mut workers[..1], batch);
            let two = rate(workers, batch);
            samples.push(two / one);
        }
    }
    for samples in &mut samples {
        samples.remove(0);
    }
    let found = median(&samples[0]);
    let possible = median(&samples[1]);
    let judged = target.map(|least| Judged {
        target: format!("≥ {least}×"),
        found: format!("{found:.2}× (of {possible:.2}× that the machine had)"),
        met: found >= least,
    });
    let measured = contenders.iter().zip(&samples).map(|((name, _), samples)| summary(name, samples)).collect();
    eprintln!("  {name}: {found:.2} of {possible:.2}");
    Row {
        work: name.to_owned(),
        unit: "× one thread".to_owned(),
        measured,
        judged: judged.into_iter().collect(),
        note: String::new(),
    }
}

pub fn run(options: &Options) -> Vec<Row> {
    vec![
        scale(
            "two threads, code + PKCE",
            options,
            |party, times| slices(times, |slice| drop(party.flow(slice))),
            Some(1.7),
        ),
        scale(
            "two threads, client_credentials of one client",
            options,
            |party, times| {
                slices(times, |slice| {
                    party.issue(slice);
                });
            },
            None,
        ),
        crate::beside::run(options),
    ]
}
