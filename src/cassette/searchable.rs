//! The text of a file that is to be searched, whatever it is packed or written in.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::cassette::MAX_SIZE;
use crate::model::coding;

/// What of a file can be searched.
pub(super) struct Searchable {
    /// Its text, with blanks where there were zeros.
    pub(super) text: Zeroizing<String>,
    /// There are bytes in it that are no text.
    pub(super) has_zeros: bool,
}

impl Searchable {
    /// The text of a file; `None` where it is packed in another way, comes to more than a file may
    /// have, or is no text.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        Self::within(MAX_SIZE, bytes)
    }

    fn within(limit: usize, bytes: &[u8]) -> Option<Self> {
        let bytes = unpacked(bytes, limit)?;
        if let Some(wide) = wide(&bytes) {
            return Some(Self::of_text(wide));
        }
        let text = || Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        is_text(&bytes).then(|| Self::of_text(text()))
    }

    fn of_text(text: Zeroizing<String>) -> Self {
        let has_zeros = text.contains('\0');
        Self {
            text: if has_zeros {
                Zeroizing::new(text.replace('\0', " "))
            } else {
                text
            },
            has_zeros,
        }
    }
}

fn unpacked(bytes: &[u8], limit: usize) -> Option<Zeroizing<Vec<u8>>> {
    let mut left = limit;
    let mut bytes = Cow::Borrowed(bytes);
    for _ in 0..DEPTH {
        let packed = PACKED.iter().find(|(mark, _)| bytes.starts_with(mark));
        let Some((_, coding)) = packed else { break };
        bytes = Cow::Owned(coding::undo(coding, &bytes, &mut left)?);
    }
    Some(Zeroizing::new(bytes.into_owned()))
}

/// A text in UTF-16 that says so by its byte order mark.
fn wide(bytes: &[u8]) -> Option<Zeroizing<String>> {
    // A text in UTF-32 begins like one in UTF-16, with zeros between its letters.
    if bytes.starts_with(&[0xff, 0xfe, 0, 0]) {
        return None;
    }
    let (unit, bytes): (fn([u8; 2]) -> u16, _) = match bytes {
        [0xff, 0xfe, rest @ ..] => (u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => (u16::from_be_bytes, rest),
        _ => return None,
    };
    let (units, _) = bytes.as_chunks();
    let units = units.iter().map(|pair| unit(*pair));
    let letters = char::decode_utf16(units);
    let text = letters.map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER));
    Some(Zeroizing::new(text.collect()))
}

/// Whether bytes are a text, in whatever encoding that has ASCII in it: there are hardly any control
/// characters in one, of which packed bytes have one in nine.
fn is_text(bytes: &[u8]) -> bool {
    let is_control =
        |byte: &&u8| byte.is_ascii_control() && !b"\t\n\x0b\x0c\r\x08\x1b".contains(byte);
    let controls = bytes.iter().filter(is_control).count();
    controls <= 1 + bytes.len() / CONTROLS_MOST
}

/// Besides one, a text has no more control characters than one in so many.
const CONTROLS_MOST: usize = 30;
/// How often a file may be packed.
const DEPTH: u32 = 4;
/// How what is packed begins (RFC 1952 and RFC 8878), by its coding.
const PACKED: &[(&[u8], &str)] = &[(b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd")];

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(bytes).expect("packed");
        packer.finish().expect("packed")
    }

    /// A frame of one block that is not compressed.
    fn zstd(bytes: &[u8]) -> Vec<u8> {
        let length = u8::try_from(bytes.len()).expect("a short text");
        let block = (u32::from(length) << 3 | 1).to_le_bytes();
        let head = [0x28, 0xb5, 0x2f, 0xfd, 0x20, length];
        [head.as_slice(), &block[..3], bytes].concat()
    }

    #[test]
    fn what_can_be_read_is_read_and_what_cannot_is_not_called_a_text() {
        let wide = |unit: fn(u16) -> [u8; 2]| "\u{feff}é 1".encode_utf16().flat_map(unit).collect();
        let (little, big): (Vec<u8>, Vec<u8>) = (wide(u16::to_le_bytes), wide(u16::to_be_bytes));
        let packed = gzip(b"a text");
        let deep = (0..4).fold(b"a text".to_vec(), |bytes, _| gzip(&bytes));
        for (name, bytes, expected) in [
            ("plain", b"a text".to_vec(), Some(("a text", false))),
            ("nothing", Vec::new(), Some(("", false))),
            ("one zero", b"a\0text".to_vec(), Some(("a text", true))),
            ("UTF-16LE", little.clone(), Some(("é 1", false))),
            ("UTF-16BE", big, Some(("é 1", false))),
            ("UTF-16 without its mark", little[2..].repeat(9), None),
            ("UTF-32LE", b"\xff\xfe\0\0a\0\0\0b\0\0\0".repeat(9), None),
            ("gzip", packed.clone(), Some(("a text", false))),
            ("zstd", zstd(b"a text"), Some(("a text", false))),
            ("UTF-16 in gzip", gzip(&little), Some(("é 1", false))),
            ("gzip in gzip", deep.clone(), Some(("a text", false))),
            ("too deep", gzip(&deep), None),
            ("cut", packed[..packed.len() - 9].to_vec(), None),
            ("too much", gzip(&[b'a'; 301]), None),
            ("zip", b"PK\x03\x04\x14\0\0\0\x08\0".to_vec(), None),
        ] {
            let read = Searchable::within(300, &bytes);
            let read = read
                .as_ref()
                .map(|read| (read.text.as_str(), read.has_zeros));
            assert_eq!(read, expected, "{name}");
        }
    }
}
