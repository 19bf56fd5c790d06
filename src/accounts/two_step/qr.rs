//! A QR code as one SVG path, drawn by ourselves so that it stays a picture of our page: no inline style,
//! always dark on white, since many scanners don't read the reverse.

use qrcode::{Color, EcLevel, QrCode, types::QrError};
use std::fmt::Write;

/// The margin that scanners want, in modules. (ISO/IEC 18004.)
const QUIET: usize = 4;

/// A QR code.
pub struct Picture {
    /// The width and height of the view box.
    pub size: usize,
    /// The dark modules.
    pub path: String,
}

pub(super) fn draw(text: &str) -> Result<Picture, QrError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)?;
    let (width, colors) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            let run = row[x..].iter().take_while(|color| **color == Color::Dark).count();
            if run > 0 {
                // Writing to a string can't fail.
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
            }
            x += run.max(1);
        }
    }
    Ok(Picture { size: width + 2 * QUIET, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_module_is_drawn() {
        let text = "otpauth://totp/Acme:maria@example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme";
        let picture = draw(text).unwrap();
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let dark = code.to_colors().iter().filter(|color| **color == Color::Dark).count();
        let drawn: usize = picture
            .path
            .split('z')
            .filter_map(|part| part.split_once('h')?.1.split('v').next()?.parse::<usize>().ok())
            .sum();
        assert_eq!(drawn, dark);
        assert!(picture.path.starts_with("M4 4h7v1h-7z"), "the finder in the corner, inside the margin");
        assert_eq!(picture.size, code.width() + 8);
    }
}
