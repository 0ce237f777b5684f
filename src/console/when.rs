//! Moments, as pages show them: in UTC, which is the same for everybody; a script adds the reader's own time.

use super::text::Text;
use crate::clock::Timestamp;

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
        let seconds = at.as_secs();
        let date = Date::of(seconds.div_euclid(SECONDS_OF_DAY));
        let within = seconds.rem_euclid(SECONDS_OF_DAY);
        let (hour, minute, second) = (within / 3600, within / 60 % 60, within % 60);
        let day = date.shown(t);
        Self {
            iso: format!("{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", date.year, date.month, date.day),
            text: format!("{day}, {hour:02}:{minute:02} UTC"),
            day,
        }
    }
}

const SECONDS_OF_DAY: i64 = 86_400;

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    year: i64,
    month: i64,
    day: i64,
}

impl Date {
    /// The date of a day counted from 1970-01-01. Years are counted from March on, so that the leap day comes last, in
    /// cycles of 400 years, which all have as many days.
    pub(super) fn of(day_number: i64) -> Self {
        // As far as the calendar goes; what is beyond is no date that anybody set.
        let days = day_number.clamp(-700_000, 2_900_000).saturating_add(719_468);
        let (cycle, of_cycle) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let leap_days = (of_cycle / 1_460).saturating_sub(of_cycle / 36_524).saturating_add(of_cycle / 146_096);
        let year_of_cycle = of_cycle.saturating_sub(leap_days) / 365;
        let before =
            year_of_cycle.saturating_mul(365).saturating_add(year_of_cycle / 4).saturating_sub(year_of_cycle / 100);
        let of_year = of_cycle.saturating_sub(before);
        let from_march = of_year.saturating_mul(5).saturating_add(2) / 153;
        let day = of_year.saturating_sub(from_march.saturating_mul(153).saturating_add(2) / 5).saturating_add(1);
        let month = if from_march < 10 { from_march.saturating_add(3) } else { from_march.saturating_sub(9) };
        let year = cycle.saturating_mul(400).saturating_add(year_of_cycle).saturating_add(i64::from(month <= 2));
        Self { year, month, day }
    }

    /// In words: `1 Mar 2026`.
    pub(super) fn shown(self, t: &Text) -> String {
        let at = usize::try_from(self.month.saturating_sub(1)).unwrap_or_default();
        let month = t.months.split(' ').nth(at).unwrap_or_default();
        t.date
            .replace("{day}", &self.day.to_string())
            .replace("{month}", month)
            .replace("{year}", &self.year.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_fall_on_their_days() {
        let text = Text::english();
        for (seconds, iso) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_164_799, "2024-02-28T23:59:59Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (1_767_225_600, "2026-01-01T00:00:00Z"),
        ] {
            assert_eq!(Moment::new(Timestamp::from_secs(seconds), &text).iso, iso);
        }
        let moment = Moment::new(Timestamp::from_secs(1_772_357_400), &text);
        assert_eq!(moment.text, "1 Mar 2026, 09:30 UTC");
        assert_eq!(Moment::new(Timestamp::from_secs(1_772_357_400), &Text::german()).day, "1. März 2026");
        Moment::new(Timestamp::NEVER, &text);
    }
}
