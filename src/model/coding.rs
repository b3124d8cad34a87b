//! Content codings (RFC 9110 section 8.4.1), undone on the copy that is kept.

use std::io::Read;

use zeroize::Zeroizing;

use crate::model::{Captured, Headers};

/// Undoes the content coding of a captured body, bounded in size; a body that cannot be decoded
/// whole is marked as still coded.
pub fn decode(headers: &Headers, captured: &mut Captured) {
    let codings: Vec<String> = headers
        .all("content-encoding")
        .flat_map(|value| value.split(','))
        .map(|coding| coding.trim().to_ascii_lowercase())
        .filter(|coding| !coding.is_empty() && coding != "identity")
        .collect();
    let is_done = captured.is_decoded || codings.is_empty();
    if is_done || captured.size == 0 || !captured.is_whole() {
        return;
    }
    // The last coding was applied last.
    let decoded = codings
        .iter()
        .rev()
        .try_fold(captured.bytes.clone(), |bytes, coding| {
            let mut left = growth_max(bytes.len());
            undo(coding, &bytes, &mut left).map(Zeroizing::new)
        });
    match decoded {
        Some(bytes) => {
            captured.size = bytes.len() as u64;
            captured.bytes = bytes;
            captured.is_decoded = true;
        }
        None => captured.is_coded = true,
    }
}

/// The bytes without one content coding; `None` where they are not of it to the last byte, or come
/// to more than is left. What was read is taken from that, whatever came of it: none is left where
/// there is more to read.
pub(crate) fn undo(coding: &str, bytes: &[u8], left: &mut usize) -> Option<Vec<u8>> {
    let mut rest = bytes;
    let decoded = match coding {
        "gzip" | "x-gzip" => read(flate2::bufread::MultiGzDecoder::new(&mut rest), left)?,
        // Servers send either a zlib stream, as the standard says, or a bare one.
        "deflate" => zlib(&mut rest, left).or_else(|| {
            rest = bytes;
            read(flate2::bufread::DeflateDecoder::new(&mut rest), left)
        })?,
        // It takes no more than it needs from a buffer of one byte.
        "br" => read(brotli_decompressor::Decompressor::new(&mut rest, 1), left)?,
        // A frame whose window is too large is refused before there is memory for it.
        "zstd" => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(&mut rest).ok()?;
            read(decoder, left)?
        }
        _ => return None,
    };
    rest.is_empty().then_some(decoded)
}

fn zlib(rest: &mut &[u8], left: &mut usize) -> Option<Vec<u8>> {
    read(flate2::bufread::ZlibDecoder::new(rest), left)
}

/// Reads to the end; `None` for a broken stream, and for one that is longer than what is left.
fn read(decoder: impl Read, left: &mut usize) -> Option<Vec<u8>> {
    let limit = *left;
    let mut decoded = Vec::new();
    let ended = decoder.take(limit as u64 + 1).read_to_end(&mut decoded);
    *left = limit.saturating_sub(decoded.len());
    (ended.is_ok() && decoded.len() <= limit).then_some(decoded)
}

/// What a body may come to; one grows by more only as a bomb does.
fn growth_max(coded: usize) -> usize {
    DECODED_MAX.min(FREE_GROWTH.max(coded.saturating_mul(RATIO_MAX)))
}

const DECODED_MAX: usize = 8 << 20;
/// Below this the ratio does not matter.
const FREE_GROWTH: usize = 1 << 20;
const RATIO_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).expect("written");
        encoder.finish().expect("finished")
    }

    fn zlib_of(bytes: &[u8]) -> Vec<u8> {
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).expect("written");
        encoder.finish().expect("finished")
    }

    fn and_more(mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.extend_from_slice(b"and more");
        bytes
    }

    #[test]
    fn no_more_is_read_than_is_left_and_what_is_read_is_taken_from_it() {
        let text = vec![b'a'; 5_000];
        let bytes = gzip(&text);
        let cut = &bytes[..bytes.len() - 1];
        for (name, bytes, before, is_read, after) in [
            ("enough", bytes.as_slice(), 6_000, true, 1_000),
            ("just enough", &bytes, 5_000, true, 0),
            ("too little", &bytes, 4_999, false, 0),
            ("none", &bytes, 0, false, 0),
            ("broken at the end", cut, 6_000, false, 1_000),
        ] {
            let mut left = before;
            let read = undo("gzip", bytes, &mut left);
            let expected = is_read.then_some(text.as_slice());
            assert_eq!(read.as_deref(), expected, "{name}");
            assert_eq!(left, after, "{name}");
        }
    }

    #[test]
    fn a_coded_body_is_read_and_a_broken_one_is_marked() {
        let text = b"{\"error\":\"invalid_grant\"}".as_slice();
        // `brotli -c` of the same text.
        let brotli = [
            0x0b, 0x0c, 0x80, 0x7b, 0x22, 0x65, 0x72, 0x72, 0x6f, 0x72, 0x22, 0x3a, 0x22, 0x69,
            0x6e, 0x76, 0x61, 0x6c, 0x69, 0x64, 0x5f, 0x67, 0x72, 0x61, 0x6e, 0x74, 0x22, 0x7d,
            0x03,
        ];
        // `zstd -c` of the same text.
        let zstandard = [
            0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0xc9, 0x00, 0x00, 0x7b, 0x22, 0x65, 0x72, 0x72,
            0x6f, 0x72, 0x22, 0x3a, 0x22, 0x69, 0x6e, 0x76, 0x61, 0x6c, 0x69, 0x64, 0x5f, 0x67,
            0x72, 0x61, 0x6e, 0x74, 0x22, 0x7d, 0x08, 0x98, 0x97, 0x25,
        ];
        let cut = gzip(text)[..20].to_vec();
        let bomb = gzip(&vec![0; 64 << 20]);
        for (name, coding, bytes, expected) in [
            ("none", "identity", text.to_vec(), Some(text)),
            ("gzip", "gzip", gzip(text), Some(text)),
            ("deflate", "deflate", zlib_of(text), Some(text)),
            ("brotli", "br", brotli.to_vec(), Some(text)),
            ("twice", "gzip, gzip", gzip(&gzip(text)), Some(text)),
            ("cut", "gzip", cut, None),
            ("gzip and more", "gzip", and_more(gzip(text)), None),
            ("deflate and more", "deflate", and_more(zlib_of(text)), None),
            ("brotli and more", "br", and_more(brotli.to_vec()), None),
            ("zstd and more", "zstd", and_more(zstandard.to_vec()), None),
            ("a bomb", "gzip", bomb, None),
            ("zstd", "zstd", zstandard.to_vec(), Some(text)),
            ("no zstd", "zstd", text.to_vec(), None),
            ("unknown", "compress", text.to_vec(), None),
            ("not coded at all", "gzip", text.to_vec(), None),
        ] {
            let headers: Headers = [("Content-Encoding", coding)].into_iter().collect();
            let mut captured = Captured::of(&bytes, 1 << 20);
            decode(&headers, &mut captured);
            assert_eq!(captured.is_coded, expected.is_none(), "{name}");
            if let Some(expected) = expected {
                assert_eq!(captured.bytes.as_slice(), expected, "{name}");
            }
        }
    }
}
