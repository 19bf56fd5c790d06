//! A photo that was chosen: what it is by its first bytes, and whether WhatsApp takes it.
//! JPEG: ITU-T T.81, annex B; PNG: <https://www.w3.org/TR/png-3/#11IHDR>.

/// The most bytes that Meta takes.
pub(super) const MAX_BYTES: usize = 5 * 1024 * 1024;
/// How far a side may be from the other, in parts of the longer one: one in so many.
const SLACK: u32 = 50;

/// A picture that may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Jpeg,
    Png,
}

impl Kind {
    pub fn mime_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }

    /// The name under which it goes to Meta: the person's own is nobody's business.
    pub fn of(mime_type: &str) -> &'static str {
        if mime_type == "image/png" { "photo.png" } else { "photo.jpg" }
    }
}

/// What it is, or what is wrong with it and what to do.
pub(super) fn check(bytes: &[u8]) -> Result<Kind, String> {
    let (kind, width, height) =
        size(bytes).ok_or("This is no JPEG or PNG that can be read. Choose a photo in one of these two formats.")?;
    if bytes.len() > MAX_BYTES {
        return Err("The photo is larger than 5 MB. Choose a smaller one.".to_owned());
    }
    if width.abs_diff(height) > width.max(height) / SLACK {
        return Err(format!(
            "The photo must be square; this one has {width} × {height} pixels. Cut it to a square, best 640 × 640, and \
             choose it again."
        ));
    }
    Ok(kind)
}

/// What it is, where it is a picture at all.
pub(super) fn kind(bytes: &[u8]) -> Option<Kind> {
    size(bytes).map(|(kind, ..)| kind)
}

fn size(bytes: &[u8]) -> Option<(Kind, u32, u32)> {
    let found = png(bytes).map(|(width, height)| (Kind::Png, width, height));
    let found = found.or_else(|| jpeg(bytes).map(|(width, height)| (Kind::Jpeg, width, height)));
    found.filter(|(_, width, height)| *width > 0 && *height > 0)
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn be16(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn png(bytes: &[u8]) -> Option<(u32, u32)> {
    let is_png = bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.get(12..16)? == b"IHDR";
    if is_png { Some((be32(bytes, 16)?, be32(bytes, 20)?)) } else { None }
}

/// A photo as it goes to Meta: of a JPEG without what tells where and with what it was taken (EXIF, XMP, IPTC: the
/// segments APP1 and APP13), and without what a camera put after the picture. What can't be walked through stays.
pub(super) fn without_metadata(bytes: &[u8]) -> Vec<u8> {
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return bytes.to_vec();
    }
    let (mut kept, mut at) = (bytes[..2].to_vec(), 2);
    while let Some([0xff, marker]) = bytes.get(at..at + 2) {
        match marker {
            0xff => {
                kept.push(0xff);
                at += 1;
            }
            0xd9 => {
                kept.extend([0xff, 0xd9]);
                return kept;
            }
            0x01 | 0xd0..=0xd7 => {
                kept.extend([0xff, *marker]);
                at += 2;
            }
            _ => {
                let end = be16(bytes, at + 2).map(|length| at + 2 + length.max(2));
                let Some((segment, end)) = end.and_then(|end| Some((bytes.get(at..end)?, end))) else { break };
                if !matches!(marker, 0xe1 | 0xed) {
                    kept.extend(segment);
                }
                at = end;
                if *marker == 0xda {
                    // The scan's data, in which only these follow 0xff.
                    let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7);
                    let next = bytes[at..].windows(2).position(is_marker).map_or(bytes.len(), |next| at + next);
                    kept.extend(&bytes[at..next]);
                    at = next;
                }
            }
        }
    }
    kept.extend(bytes.get(at..).unwrap_or_default());
    kept
}

/// Walks the segments to the frame header.
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return None;
    }
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        match *bytes.get(at + 1)? {
            // Fill bytes, and markers without a length.
            0xff => at += 1,
            0x01 | 0xd0..=0xd7 => at += 2,
            // The frame header, of whatever coding; not a Huffman, arithmetic or JPG segment.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                let (height, width) = (be16(bytes, at + 5)?, be16(bytes, at + 7)?);
                return Some((u32::try_from(width).ok()?, u32::try_from(height).ok()?));
            }
            // The picture began, or ended, without one.
            0xd9 | 0xda => return None,
            _ => at += 2 + be16(bytes, at + 2)?.max(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes
    }

    fn a_jpeg(width: u16, height: u16) -> Vec<u8> {
        // An APP0 segment, a fill byte, then a progressive frame.
        let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xff, 0xc2, 0, 17, 8];
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes
    }

    #[test]
    fn kind_and_size_are_read_from_the_bytes() {
        assert_eq!(size(&a_png(640, 480)), Some((Kind::Png, 640, 480)));
        assert_eq!(size(&a_jpeg(1200, 1199)), Some((Kind::Jpeg, 1200, 1199)));
        for broken in [&b"GIF89a"[..], &[0xff, 0xd8], &[0xff, 0xd8, 0xff, 0xda, 0, 4], &a_png(0, 5), &a_png(5, 5)[..20]]
        {
            assert_eq!(size(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn only_what_is_square_enough_and_small_enough_is_taken() {
        assert_eq!(check(&a_jpeg(1200, 1190)), Ok(Kind::Jpeg));
        assert!(check(&a_png(640, 480)).unwrap_err().contains("640 × 480"));
        let mut large = a_png(640, 640);
        large.resize(MAX_BYTES + 1, 0);
        assert!(check(&large).unwrap_err().contains("5 MB"));
    }

    #[test]
    fn a_photo_does_not_tell_where_it_was_taken() {
        let exif = [&[0xff, 0xe1, 0, 12][..], b"Exif\0\0GPS."].concat();
        let iptc = [&[0xff, 0xed, 0, 6][..], b"City"].concat();
        let (start, frame) = (&[0xff, 0xd8][..], &a_jpeg(640, 640)[2..]);
        let frame = [frame, &[3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1][..]].concat();
        // Stuffing and a restart are of the scan's data, and so is what looks like a segment in it.
        let scan = [0xff, 0xda, 0, 3, 1, 7, 0xff, 0x00, 0xe1, 0xff, 0xd0, 9, 0xff, 0xd9];
        let clean = [start, &frame, &scan].concat();
        let full = [start, &exif, &frame[..6], &iptc, &frame[6..], &scan, start, &exif].concat();
        assert_eq!(size(&full), Some((Kind::Jpeg, 640, 640)));
        assert_eq!(without_metadata(&full), clean);
        assert_eq!(without_metadata(&clean), clean);
        // What ends early stays as far as it goes.
        for end in 0..clean.len() {
            assert_eq!(without_metadata(&clean[..end]), clean[..end], "{end}");
        }
        assert_eq!(without_metadata(&a_png(5, 5)), a_png(5, 5));
    }
}
