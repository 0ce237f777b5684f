//! The code that a person carries from a device to a browser (RFC 8628 §6.1): `WDJB-MJHT`.
//!
//! Eight of twenty consonants: no vowels, so that no code is a word, and nothing that looks like a digit. Together that
//! is a little over 34 bits, which is enough for the minutes that a code lives only where guesses are counted.

/// The alphabet, in the order of the specification.
const ALPHABET: [char; 20] =
    ['B', 'C', 'D', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Z'];

const LENGTH: usize = 8;

/// The longest text that is looked at, in bytes: a code with a blank after each letter, and to spare.
const MAX_TEXT: usize = 64;

/// A user code: one spelling, whatever was typed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UserCode(String);

impl UserCode {
    /// The code that a random number stands for. There are 25,600,000,000 codes, so few of the 64 bits that their
    /// remainder favours none by as much as one in 700 million.
    pub(crate) fn from_random(random: [u8; 8]) -> Self {
        let mut rest = u64::from_be_bytes(random);
        let mut code = String::with_capacity(LENGTH);
        for _ in 0..LENGTH {
            let digit = usize::try_from(rest % 20).unwrap_or_default();
            code.push(ALPHABET.get(digit).copied().unwrap_or('B'));
            rest /= 20;
        }
        Self(code)
    }

    /// What was typed: in any case, with or without the hyphen, with blanks and dashes of any kind. `None` for
    /// anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let mut code = String::with_capacity(LENGTH);
        for typed in text.chars() {
            if is_punctuation(typed) {
                continue;
            }
            let letter = typed.to_ascii_uppercase();
            if !ALPHABET.contains(&letter) || code.len() == LENGTH {
                return None;
            }
            code.push(letter);
        }
        (code.len() == LENGTH).then_some(Self(code))
    }

    /// The eight letters, to name a record by.
    pub(crate) fn letters(&self) -> &str {
        &self.0
    }
}

/// What people, and the keyboards of their telephones, put between the letters.
fn is_punctuation(typed: char) -> bool {
    typed.is_whitespace() || matches!(typed, '-' | '_' | '.' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// As it is shown: `WDJB-MJHT`.
impl std::fmt::Display for UserCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (first, second) = self.0.split_at_checked(LENGTH / 2).unwrap_or((&self.0, ""));
        write!(f, "{first}-{second}")
    }
}

impl std::fmt::Debug for UserCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // While it waits, whoever knows it can answer for it.
        f.write_str("UserCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_code_is_one_code_however_it_is_typed() {
        let code = UserCode::parse("WDJB-MJHT").unwrap();
        assert_eq!(code.to_string(), "WDJB-MJHT");
        for typed in
            ["wdjb mjht", "WDJBMJHT", " w d j b - m j h t ", "WDJB\u{2013}MJHT", "wdjb\u{a0}mjht", "WDJB--MJHT"]
        {
            assert_eq!(UserCode::parse(typed).as_ref(), Some(&code), "{typed:?}");
        }
    }

    #[test]
    fn what_only_resembles_a_code_is_none() {
        for typed in [
            "",
            "WDJB-MJH",
            "WDJB-MJHTT",
            "WDJB-MJH1",
            "WDJA-MJHT",
            "WDJB-MJH%",
            "WDJB-MJH_%",
            "\u{417}DJB-MJHT",
            "\u{ff37}DJB-MJHT",
            "WDJB\u{200b}MJHT",
            "WDJB-MJHT\0",
        ] {
            assert_eq!(UserCode::parse(typed), None, "{typed:?}");
        }
        assert_eq!(UserCode::parse(&" ".repeat(10_240)), None);
        assert_eq!(UserCode::parse(&format!("WDJB-MJHT{}", " ".repeat(100))), None);
    }

    #[test]
    fn a_drawn_code_is_one_that_can_be_typed_and_every_letter_occurs() {
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..1_000_u64 {
            let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
            let code = UserCode::from_random(random);
            assert_eq!(UserCode::parse(&code.to_string()), Some(code.clone()));
            seen.extend(code.letters().chars());
        }
        assert_eq!(seen.len(), 20);
    }
}
