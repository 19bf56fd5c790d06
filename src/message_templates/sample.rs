//! The file that stands for a header's image, video or document while Meta looks at a template.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>

use super::draft::Header;
use crate::web::SentFile;

const MB: usize = 1024 * 1024;

/// The file's type, by what is in it: its name says nothing.
///
/// # Errors
/// What is wrong with it, and what to choose.
pub(super) fn check(header: Header, file: &SentFile) -> Result<&'static str, String> {
    let bytes = &file.bytes;
    let found = if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        Some((Header::Image, "image/jpeg"))
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some((Header::Image, "image/png"))
    } else if bytes.get(4..8) == Some(b"ftyp") {
        Some((Header::Video, "video/mp4"))
    } else if bytes.starts_with(b"%PDF-") {
        Some((Header::Document, "application/pdf"))
    } else {
        None
    };
    let (wanted, most) = match header {
        Header::Image => ("a JPEG or PNG image", 5 * MB),
        Header::Video => ("an MP4 video", 16 * MB),
        _ => ("a PDF document", 16 * MB),
    };
    match found {
        Some((kind, mime_type)) if kind == header => {
            if bytes.len() > most {
                return Err(format!("The file is too large: {} MB is the most. Choose a smaller one.", most / MB));
            }
            Ok(mime_type)
        }
        _ => Err(format!("This is not {wanted}. Choose one.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(bytes: Vec<u8>) -> SentFile {
        SentFile { name: "x.png".to_owned(), bytes: bytes.into() }
    }

    #[test]
    fn a_file_is_what_is_in_it() {
        let jpeg = [&[0xff, 0xd8, 0xff, 0xe0][..], &[0; 20]].concat();
        assert_eq!(check(Header::Image, &sent(jpeg.clone())).unwrap(), "image/jpeg");
        assert!(check(Header::Video, &sent(jpeg.clone())).unwrap_err().contains("MP4"));
        assert!(check(Header::Image, &sent(b"<svg onload=x>".to_vec())).is_err());
        assert_eq!(check(Header::Document, &sent(b"%PDF-1.7 x".to_vec())).unwrap(), "application/pdf");
        let large = [jpeg, vec![0; 5 * MB]].concat();
        assert!(check(Header::Image, &sent(large)).unwrap_err().contains("5 MB"));
    }
}
