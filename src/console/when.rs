//! Moments, as pages show them: in UTC, which is the same for everybody; a script adds the reader's own time.

use super::text::Text;
use crate::clock::{Date, Timestamp};

/// A moment on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moment {
    /// For machines: `2026-03-01T09:30:00Z`.
    pub iso: String,
    /// The day: `1 Mar 2026`.
    pub day: String,
    /// Day and time: `1 Mar 2026, 09:30 UTC`.
    pub text: String,
}

impl Moment {
    pub(super) fn new(at: Timestamp, t: &Text) -> Self {
        let day = in_words(Date::of(at.day_number()), t);
        let minutes = at.as_secs().div_euclid(60).rem_euclid(24 * 60);
        let (hour, minute) = (minutes / 60, minutes % 60);
        Self {
            iso: Timestamp::from_secs(at.as_secs()).to_string(),
            text: format!("{day}, {hour:02}:{minute:02} UTC"),
            day,
        }
    }
}

/// A date in words: `1 Mar 2026`.
pub(super) fn in_words(date: Date, t: &Text) -> String {
    let at = usize::try_from(date.month.saturating_sub(1)).unwrap_or_default();
    let month = t.months.split(' ').nth(at).unwrap_or_default();
    t.date.replace("{day}", &date.day.to_string()).replace("{month}", month).replace("{year}", &date.year.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_shown_in_each_language() {
        let text = Text::english();
        let moment = Moment::new(Timestamp::from_secs(1_772_357_400), &text);
        assert_eq!(moment.iso, "2026-03-01T09:30:00Z");
        assert_eq!(moment.text, "1 Mar 2026, 09:30 UTC");
        assert_eq!(Moment::new(Timestamp::from_secs(1_772_357_400), &Text::german()).day, "1. März 2026");
        Moment::new(Timestamp::NEVER, &text);
    }
}
