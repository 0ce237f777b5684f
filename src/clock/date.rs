//! The calendar: which day, month and year a moment belongs to, in UTC.

use std::ops::RangeInclusive;

/// A day of the Gregorian calendar, carried back before its invention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
}

impl Date {
    /// The days that have a date of four digits; what is beyond is no date that anybody set.
    pub(crate) const CALENDAR: RangeInclusive<i64> = -719_162..=2_932_896;

    /// The date of a day counted from 1970-01-01, or the nearest of the calendar. Years are counted from March on, so
    /// that the leap day comes last, in cycles of 400 years, which all have as many days.
    pub(crate) fn of(day_number: i64) -> Self {
        let days = day_number.clamp(*Self::CALENDAR.start(), *Self::CALENDAR.end()).saturating_add(719_468);
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
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}
