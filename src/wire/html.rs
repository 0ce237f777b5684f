//! Text inside HTML: escaped, and where somebody else chose it, unable to deceive the eye.

use std::borrow::Cow;

/// `text` for an element's content or a quoted attribute: `&`, `<`, `>`, `"` and `'` as references.
///
/// Not for script, style, unquoted attributes or URLs whose scheme was not checked.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| reference(char::from(byte)).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().saturating_add(16));
    for char in text.chars() {
        match reference(char) {
            Some(reference) => out.push_str(reference),
            None => out.push(char),
        }
    }
    Cow::Owned(out)
}

const fn reference(char: char) -> Option<&'static str> {
    match char {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        _ => None,
    }
}

/// A name that a client chose for itself, fit to be shown: at most `max_chars` characters, on one line, with everything
/// visible. It still has to be [`escape`]d.
///
/// Control characters and line separators become a space; what reorders or hides text (bidirectional controls,
/// zero-width and other invisible characters) becomes U+FFFD, so that a name which plays with them looks like one. What
/// is cut off leaves `…`, which counts. Letters that look alike stay: show the host of the redirect URI beside the
/// name.
#[must_use]
pub fn truncate_display(text: &str, max_chars: usize) -> String {
    let mut chars = text.chars().map(neutral);
    let mut out: String = chars.by_ref().take(max_chars).collect();
    if chars.next().is_some() {
        out.pop();
        if max_chars > 0 {
            out.push('\u{2026}');
        }
    }
    out
}

fn neutral(char: char) -> char {
    match char {
        '\u{2028}' | '\u{2029}' => ' ',
        control if control.is_control() => ' ',
        invisible if is_invisible(invisible) => char::REPLACEMENT_CHARACTER,
        plain => plain,
    }
}

/// Unicode's default-ignorable and bidirectional controls, as far as a name can be made of them.
const fn is_invisible(char: char) -> bool {
    matches!(
        char,
        '\u{AD}' // soft hyphen
        | '\u{34F}' // grapheme joiner
        | '\u{61C}' // Arabic letter mark
        | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' // Hangul fillers
        | '\u{17B4}' | '\u{17B5}' // Khmer inherent vowels
        | '\u{180B}'..='\u{180F}' // Mongolian selectors
        | '\u{200B}'..='\u{200F}' // zero-width, left-to-right and right-to-left marks
        | '\u{202A}'..='\u{202E}' // embeddings and overrides
        | '\u{2060}'..='\u{206F}' // word joiner, isolates, deprecated controls
        | '\u{FE00}'..='\u{FE0D}' // variation selectors, but for the two that emoji need
        | '\u{FEFF}' // byte order mark
        | '\u{FFF0}'..='\u{FFFB}' // annotations
        | '\u{E0000}'..='\u{E0FFF}' // tags and more selectors
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_is_escaped_for_text_and_attributes() {
        assert_eq!(
            escape("<script>alert(\"x\" & 'y')</script>"),
            "&lt;script&gt;alert(&quot;x&quot; &amp; &#39;y&#39;)&lt;/script&gt;"
        );
        assert_eq!(escape("&amp;"), "&amp;amp;");
        assert!(matches!(escape("Caf\u{e9} \u{1f600}"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_name_cannot_reorder_hide_or_break_the_line() {
        assert_eq!(
            truncate_display("a\u{202e}b\u{2066}c\u{200b}d\u{feff}", 20),
            "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}"
        );
        assert_eq!(truncate_display("a\r\nb\tc\0d\u{85}e\u{2028}f\u{7f}", 20), "a  b c d e f ");
        for code in (0x202A..=0x202E).chain(0x2066..=0x2069).chain(0x200B..=0x200F) {
            assert_eq!(truncate_display(&char::from_u32(code).unwrap().to_string(), 1), "\u{fffd}", "U+{code:X}");
        }
        assert_eq!(truncate_display("\u{5e2}\u{5d1}\u{5e8}\u{5d9}\u{5ea} \u{1f600} Caf\u{e9}", 20).chars().count(), 12);
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis_that_counts() {
        assert_eq!(truncate_display("grantor", 7), "grantor");
        assert_eq!(truncate_display("grantor", 6), "grant\u{2026}");
        assert_eq!(truncate_display("\u{e9}\u{e9}\u{e9}", 2), "\u{e9}\u{2026}");
        assert_eq!(truncate_display("ab", 1), "\u{2026}");
        assert_eq!(truncate_display("ab", 0), "");
        assert_eq!(truncate_display(&"x".repeat(10 * 1024), 60).chars().count(), 60);
    }

    proptest! {
        #[test]
        fn escaped_text_has_no_markup_and_reads_back(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            let back = escaped
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&");
            prop_assert_eq!(back, text);
        }

        #[test]
        fn a_displayed_name_is_short_and_on_one_line(text in any::<String>(), max in 0_usize..40) {
            let shown = truncate_display(&text, max);
            prop_assert!(shown.chars().count() <= max);
            prop_assert!(!shown.chars().any(|char| char.is_control() || is_invisible(char)));
        }
    }
}
