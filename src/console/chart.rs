//! Small bar charts, drawn as SVG, with a table of the same figures beside them.

use askama::Template;

use super::text::{Text, fill};
use super::when::in_words;
use crate::activity::{DayCount, totals};
use crate::clock::Date;

/// Bars for thirty days.
struct Chart {
    label: String,
    total: u64,
    summary: String,
    bars: Vec<Bar>,
    first: String,
    last: String,
    width: u32,
    height: u32,
}

struct Bar {
    class: &'static str,
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    title: String,
}

struct Row {
    day: String,
    issued: u32,
    refused: u32,
}

#[derive(Template)]
#[template(path = "chart.html")]
struct Charts<'a> {
    t: &'a Text,
    bars: Vec<Chart>,
    days: Vec<Row>,
}

/// Charts and table of these days, as HTML.
pub(super) fn draw(days: &[DayCount], t: &Text) -> String {
    let (issued, refused) = totals(days);
    let bars = vec![
        chart(days, &t.issued, issued, "bar-issued", |day| day.issued, t),
        chart(days, &t.refused, refused, "bar-refused", |day| day.refused, t),
    ];
    let rows = days.iter().rev().map(|day| Row {
        day: in_words(Date::of(day.day), t),
        issued: day.issued,
        refused: day.refused,
    });
    Charts { t, bars, days: rows.collect() }.render().unwrap_or_default()
}

const HEIGHT: u32 = 88;
const BAR: u32 = 9;
const STEP: u32 = 12;

fn chart(
    days: &[DayCount],
    label: &str,
    total: u64,
    class: &'static str,
    of: impl Fn(&DayCount) -> u32,
    t: &Text,
) -> Chart {
    let most = days.iter().map(&of).max().unwrap_or(0);
    let bars = days.iter().zip(0_u32..).map(|(day, at)| {
        let count = of(day);
        // A day on which there was something must not look like one on which there was nothing.
        let scaled = u64::from(count).saturating_mul(u64::from(HEIGHT)).checked_div(u64::from(most)).unwrap_or(0);
        let height = if count == 0 { 2 } else { u32::try_from(scaled).unwrap_or(HEIGHT).max(4) };
        let shown = in_words(Date::of(day.day), t);
        Bar {
            class: if count == 0 { "none" } else { class },
            x: at.saturating_mul(STEP),
            y: HEIGHT.saturating_sub(height),
            width: BAR,
            height,
            title: fill(&t.day_count, &[("day", &shown), ("count", &count.to_string())]),
        }
    });
    let shown = |day: Option<&DayCount>| day.map(|day| in_words(Date::of(day.day), t)).unwrap_or_default();
    Chart {
        label: label.to_owned(),
        total,
        summary: fill(
            &t.activity_summary,
            &[("label", label), ("total", &total.to_string()), ("most", &most.to_string())],
        ),
        bars: bars.collect(),
        first: shown(days.first()),
        last: shown(days.last()),
        width: u32::try_from(days.len()).unwrap_or(30).saturating_mul(STEP).saturating_sub(STEP.saturating_sub(BAR)),
        height: HEIGHT,
    }
}
