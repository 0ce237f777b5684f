//! QR codes (feature `qr`): how a device shows an address that is too long to type (RFC 8628 §3.3.1).
//!
//! The *device* shows it, beside the user code: who cannot scan it types, and who scans it compares. Any text can be in
//! one, so a host shows its own addresses the same way.
//!
//! ```
//! use grantor::qr::QrCode;
//!
//! // `verification_uri_complete` of the answer to the device.
//! let code = QrCode::of("https://auth.example.com/device?user_code=WDJB-MJHT")?;
//! let html = format!("<div style=\"width: 12rem\">{}</div>", code.svg()); // a device with a screen
//! println!("{}", code.terminal()); // one with a terminal
//! # Ok::<(), grantor::qr::TooLong>(())
//! ```

use std::fmt::Write as _;

use qrcode::Color;

/// How many light modules stand around the code, so that a scanner finds it (ISO/IEC 18004 §5.3.8).
const QUIET: usize = 4;

/// What a terminal has to do so that dark is dark: black on white from the fixed part of the palette, whatever its theme.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";

/// A QR code, with the light margin that belongs to it. About 15 % of it may be dirty or reflect (level M).
#[derive(Clone)]
pub struct QrCode {
    /// From top to bottom, from left to right; true is dark. As many rows as columns.
    modules: Vec<Vec<bool>>,
}

/// The text does not fit into a QR code: more than 2,331 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text is too long for a QR code")]
pub struct TooLong;

impl QrCode {
    /// The code that says `text`, as small as it can be.
    pub fn of(text: &str) -> Result<Self, TooLong> {
        let code = qrcode::QrCode::new(text).map_err(|_| TooLong)?;
        let colors = code.to_colors();
        let rows = colors.chunks(code.width()).map(|row| {
            let dark = row.iter().map(|color| *color == Color::Dark);
            let margin = || std::iter::repeat_n(false, QUIET);
            margin().chain(dark).chain(margin()).collect::<Vec<_>>()
        });
        let blank = vec![false; code.width().saturating_add(2 * QUIET)];
        let margin = || std::iter::repeat_n(blank.clone(), QUIET);
        Ok(Self { modules: margin().chain(rows).chain(margin()).collect() })
    }

    /// The code as an `<svg>` element to put into a page. It is as wide as what it stands in, white even where the page
    /// is dark, and has neither styles nor scripts, so that a `Content-Security-Policy` lets it pass.
    pub fn svg(&self) -> String {
        let side = self.modules.len();
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"QR code\" \
             shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/><path fill=\"#000\" d=\""
        );
        for (y, row) in self.modules.iter().enumerate() {
            let mut x: usize = 0;
            for run in row.chunk_by(PartialEq::eq) {
                let width = run.len();
                if run.contains(&true) {
                    let _ = write!(svg, "M{x} {y}h{width}v1h-{width}z");
                }
                x = x.saturating_add(width);
            }
        }
        svg.push_str("\"/></svg>");
        svg
    }

    /// The code as lines for a terminal that knows UTF-8 and colours: two rows in each, black on white.
    pub fn terminal(&self) -> String {
        let mut text = String::new();
        for rows in self.modules.chunks(2) {
            text.push_str(BLACK_ON_WHITE);
            let (upper, lower) = (rows.first().into_iter().flatten(), rows.get(1).into_iter().flatten());
            // The number of rows is odd: below the last there is nothing, which is light.
            for (upper, lower) in upper.zip(lower.chain(std::iter::repeat(&false))) {
                text.push(match (upper, lower) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                });
            }
            text.push_str("\x1b[0m\n");
        }
        text
    }
}

/// The text is left out: it may hold a user code.
impl std::fmt::Debug for QrCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QrCode").field("side", &self.modules.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "https://auth.example.com/device?user_code=WDJB-MJHT";

    /// What a scanner reads from it.
    fn scanned(side: usize, is_dark: impl Fn(usize, usize) -> bool) -> String {
        // Four pixels for each module: a picture, as a camera would have it.
        let picture = |x: usize, y: usize| if is_dark(x / 4, y / 4) { 0 } else { 255 };
        let mut picture =
            rqrr::PreparedImage::prepare_from_greyscale(side.saturating_mul(4), side.saturating_mul(4), picture);
        let [code] = &picture.detect_grids()[..] else { panic!("not one code") };
        code.decode().unwrap().1
    }

    #[test]
    fn a_scanner_reads_the_text_from_the_svg() {
        let svg = QrCode::of(ADDRESS).unwrap().svg();
        let side: usize = svg.split_once("viewBox=\"0 0 ").unwrap().1.split(' ').next().unwrap().parse().unwrap();
        let mut dark = vec![vec![false; side]; side];
        let path = svg.rsplit_once("d=\"").unwrap().1.split_once('"').unwrap().0;
        for run in path.split('M').skip(1) {
            let (x, rest) = run.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let (width, _) = rest.split_once('v').unwrap();
            let [x, y, width] = [x, y, width].map(|number| number.parse::<usize>().unwrap());
            dark[y][x..x + width].fill(true);
        }
        assert_eq!(scanned(side, |x, y| dark[y][x]), ADDRESS);
        assert!(!svg.contains("style") && !svg.contains("<script"));
    }

    #[test]
    fn a_scanner_reads_the_text_from_the_terminal() {
        for text in [ADDRESS, "a"] {
            let shown = QrCode::of(text).unwrap().terminal();
            let bare = shown.replace(BLACK_ON_WHITE, "").replace("\x1b[0m", "");
            let lines: Vec<Vec<char>> = bare.lines().map(|line| line.chars().collect()).collect();
            let side = lines[0].len();
            assert!(lines.iter().all(|line| line.len() == side) && lines.len() == side.div_ceil(2));
            let is_dark = |x: usize, y: usize| match lines[y / 2][x] {
                '█' => true,
                '▀' => y.is_multiple_of(2),
                '▄' => !y.is_multiple_of(2),
                _ => false,
            };
            assert_eq!(scanned(side, is_dark), text);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_and_what_does_is_not_printed() {
        assert_eq!(QrCode::of(&"x".repeat(3_000)).unwrap_err(), TooLong);
        let longest = QrCode::of(&"x".repeat(2_331)).unwrap();
        assert_eq!(format!("{longest:?}"), "QrCode { side: 185, .. }");
    }
}
