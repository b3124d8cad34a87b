//! What a text may be under its encodings, whichever they are and however deep.
//!
//! A decoder gives only what it changed: the rest was searched as it was. What was decoded before,
//! and had nothing in it, is not decoded again, so that thousands of interactions that say the same
//! cost little more than one.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::model::coding;
use crate::redact::decode::{entity, hex_byte, json_escape, percent, unescaped};
use crate::redact::label::{Piece, pieces};

/// How deep encodings are undone.
pub(super) const DEPTH: u32 = 4;

/// What one record may come to under its decoders.
const DECODED_MAX: usize = 16 << 20;

/// The decoded forms of many texts.
#[derive(Default)]
pub(super) struct Closure {
    /// The hashes of what was decoded, by what and how deep, of texts that had nothing in them.
    clean: HashSet<u64>,
    /// The same of the text that is searched.
    met: HashSet<u64>,
    hasher: RandomState,
    left: usize,
}

/// A text that comes to more under its decoders than is looked at.
pub(super) struct TooMuch;

impl Closure {
    /// What `find` finds in the text, under any encodings; labels are no part of it.
    pub(super) fn find<T>(
        &mut self,
        text: &str,
        find: &mut dyn FnMut(&str) -> Option<T>,
    ) -> Result<Option<T>, TooMuch> {
        self.left = DECODED_MAX;
        self.met.clear();
        let literal = |piece: Piece| match piece {
            Piece::Literal(literal) => literal,
            Piece::Label(_) => BREAK.to_owned(),
        };
        let text: String = pieces(text).into_iter().map(literal).collect();
        let found = self.descend(&text, 1, find)?;
        // What had something in it, or was not searched to its end, has it in the next text, too.
        if found.is_none() {
            self.clean.extend(self.met.drain());
        }
        Ok(found)
    }

    fn descend<T>(
        &mut self,
        text: &str,
        depth: u32,
        find: &mut dyn FnMut(&str) -> Option<T>,
    ) -> Result<Option<T>, TooMuch> {
        if depth > DEPTH {
            return Ok(None);
        }
        for decoder in DECODERS {
            let decoded = self.decoded(decoder, text, depth)?;
            if decoded.is_empty() {
                continue;
            }
            if let Some(found) = find(&decoded) {
                return Ok(Some(found));
            }
            if let Some(found) = self.descend(&decoded, depth + 1, find)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// What a decoder makes of the runs of a text that it has not met.
    fn decoded(
        &mut self,
        decoder: &Decoder,
        text: &str,
        depth: u32,
    ) -> Result<Zeroizing<String>, TooMuch> {
        let mut out = Decoded {
            text: Zeroizing::default(),
            left: self.left,
        };
        (decoder.runs)(text, &mut |run| {
            let key = self.hasher.hash_one((decoder.name, run, depth));
            if !self.clean.contains(&key) && self.met.insert(key) {
                (decoder.decode)(run, &mut out)?;
            }
            Ok(())
        })?;
        self.left = out.left;
        Ok(out.text)
    }
}

/// What runs decode to, as far as there is room for it.
struct Decoded {
    text: Zeroizing<String>,
    left: usize,
}

impl Decoded {
    fn line(&mut self, line: &str) -> Result<(), TooMuch> {
        self.push(line)?;
        self.push("\n")
    }

    fn push(&mut self, text: &str) -> Result<(), TooMuch> {
        self.left = self.left.checked_sub(text.len()).ok_or(TooMuch)?;
        self.text.push_str(text);
        Ok(())
    }
}

type Each<'a> = &'a mut dyn FnMut(&str) -> Result<(), TooMuch>;
/// The bytes that the escape spells which a text begins with, and its length.
type Escape = fn(&str) -> Option<(Vec<u8>, usize)>;

/// One way to undo an encoding.
struct Decoder {
    name: &'static str,
    /// Calls for each run of a text that may be so encoded.
    runs: fn(&str, Each<'_>) -> Result<(), TooMuch>,
    /// Appends what the run decodes to, if it does.
    decode: fn(&str, &mut Decoded) -> Result<(), TooMuch>,
}

const DECODERS: &[Decoder] = &[
    Decoder {
        name: "percent",
        runs: |text, each| marked_lines(text, '%', each),
        decode: |line, out| escapes(line, out, percent),
    },
    Decoder {
        name: "form",
        runs: |text, each| marked_lines(text, '+', each),
        decode: |line, out| escapes(&line.replace('+', "%20"), out, percent),
    },
    Decoder {
        name: "JSON",
        runs: |text, each| marked_lines(text, '\\', each),
        decode: |line, out| escapes(line, out, |rest| json_escape(rest.strip_prefix('\\')?)),
    },
    Decoder {
        name: "HTML",
        runs: |text, each| marked_lines(text, '&', each),
        decode: |line, out| escapes(line, out, |rest| entity(rest.strip_prefix('&')?)),
    },
    Decoder {
        name: "quoted-printable",
        runs: |text, each| {
            // A soft break is the one escape that goes over the end of a line.
            if text.contains("=\n") || text.contains("=\r\n") {
                each(text)
            } else {
                marked_lines(text, '=', each)
            }
        },
        decode: |text, out| escapes(text, out, quoted_printable),
    },
    Decoder {
        name: "white space",
        runs: |text, each| {
            if text.contains(char::is_whitespace) {
                each(text)?;
            }
            Ok(())
        },
        decode: |text, out| text.split_whitespace().try_for_each(|word| out.push(word)),
    },
    Decoder {
        name: "base64",
        runs: |text, each| runs_of(text, is_base64, BASE64_MIN, each),
        decode: base64,
    },
    Decoder {
        name: "hex",
        runs: |text, each| runs_of(text, |c| c.is_ascii_hexdigit(), HEX_MIN, each),
        decode: hex,
    },
];

fn marked_lines(text: &str, mark: char, each: Each<'_>) -> Result<(), TooMuch> {
    if !text.contains(mark) {
        return Ok(());
    }
    let mut lines = text.lines().filter(|line| line.contains(mark));
    lines.try_for_each(each)
}

fn runs_of(
    text: &str,
    is_in: fn(char) -> bool,
    least: usize,
    each: Each<'_>,
) -> Result<(), TooMuch> {
    let mut runs = text.split(|c| !is_in(c)).filter(|run| run.len() >= least);
    runs.try_for_each(each)
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/-_".contains(c)
}

/// Appends the text with its escapes undone, if it has any.
fn escapes(text: &str, out: &mut Decoded, escape: Escape) -> Result<(), TooMuch> {
    match unescaped(text, escape) {
        Some(bytes) => out.line(&String::from_utf8_lossy(&bytes)),
        None => Ok(()),
    }
}

fn quoted_printable(rest: &str) -> Option<(Vec<u8>, usize)> {
    let escaped = rest.strip_prefix('=')?;
    if let Some(next) = escaped
        .strip_prefix("\r\n")
        .or_else(|| escaped.strip_prefix('\n'))
    {
        // The next line's indentation is the file's.
        let next = next.trim_start_matches(' ');
        return Some((Vec::new(), rest.len() - next.len()));
    }
    Some((vec![hex_byte(escaped.as_bytes())?], 3))
}

fn base64(run: &str, out: &mut Decoded) -> Result<(), TooMuch> {
    let standard = run.replace('-', "+").replace('_', "/");
    for start in 0..standard.len().min(4) {
        let part = &standard[start..];
        // One character by itself has no byte.
        let whole = part.len() - usize::from(part.len() % 4 == 1);
        if let Ok(bytes) = LENIENT.decode(&part[..whole]) {
            readable(&Zeroizing::new(bytes), out)?;
        }
    }
    Ok(())
}

fn hex(run: &str, out: &mut Decoded) -> Result<(), TooMuch> {
    for start in 0..2 {
        let pairs = run.as_bytes()[start..].chunks_exact(2);
        let bytes = Zeroizing::new(pairs.filter_map(hex_byte).collect::<Vec<_>>());
        readable(&bytes, out)?;
    }
    Ok(())
}

/// What can be read in decoded bytes, compressed or not: chance has six such characters in a row
/// once in four hundred places.
fn readable(bytes: &[u8], out: &mut Decoded) -> Result<(), TooMuch> {
    for chunk in bytes.utf8_chunks() {
        let runs = chunk
            .valid()
            .split(|c: char| c.is_control() && !c.is_whitespace());
        for run in runs.filter(|run| run.len() >= READABLE_MIN) {
            out.line(run)?;
        }
    }
    for (magic, coding) in PACKED {
        if bytes.len() < PACKED_MIN || !bytes.starts_with(magic) {
            continue;
        }
        let left = out.left;
        if let Some(inflated) = coding::undo(coding, bytes, &mut out.left) {
            // Its text is what is counted.
            out.left = left;
            return out.line(&String::from_utf8_lossy(&Zeroizing::new(inflated)));
        }
        if out.left == 0 {
            return Err(TooMuch);
        }
    }
    Ok(())
}

/// Stands for a label: no letter of any encoding, and no white space.
pub(super) const BREAK: &str = "\0";
/// Six bytes, as few as a secret has that is searched for.
const BASE64_MIN: usize = 8;
const HEX_MIN: usize = 12;
const READABLE_MIN: usize = 6;
/// No compressed secret is shorter.
const PACKED_MIN: usize = 10;
/// How what is compressed begins (RFC 1952, 1950 and 8878); brotli begins as anything may.
const PACKED: &[(&[u8], &str)] = &[
    (b"\x1f\x8b", "gzip"),
    (b"\x78", "deflate"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"", "br"),
];
/// Bits that are left over at the end say nothing.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};

    use super::*;
    use crate::model::percent_encode;

    const SECRET: &str = "Zx8/Qw3+Er5 Ty7=Ui9&Op1";

    fn all_percent(text: &str) -> String {
        text.bytes().map(|byte| format!("%{byte:02x}")).collect()
    }

    fn gzip(text: &str) -> String {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).expect("written");
        BASE64.encode(encoder.finish().expect("finished"))
    }

    fn zlib(text: &str) -> String {
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).expect("written");
        BASE64.encode(encoder.finish().expect("finished"))
    }

    fn wrapped(text: &str, end: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let lines = chars.chunks(10).map(|line| line.iter().collect::<String>());
        lines.collect::<Vec<_>>().join(end)
    }

    type Spelling = (&'static str, fn(&str) -> String);

    const SPELLINGS: &[Spelling] = &[
        ("percent", all_percent),
        ("form", |text| percent_encode(text).replace("%20", "+")),
        ("JSON", |text| {
            text.encode_utf16()
                .map(|unit| format!("\\u{unit:04X}"))
                .collect()
        }),
        ("HTML", |text| {
            text.chars()
                .map(|c| format!("&#{};", u32::from(c)))
                .collect()
        }),
        ("quoted-printable", |text| {
            text.bytes().map(|byte| format!("={byte:02X}")).collect()
        }),
        ("soft breaks", |text| {
            wrapped(&text.replace('=', "=3D"), "=\r\n")
        }),
        ("base64", |text| BASE64.encode(text)),
        ("base64 at 1", |text| BASE64.encode(format!("x{text}"))),
        ("base64 at 2", |text| BASE64.encode(format!("xy{text}"))),
        ("base64url, among others", |text| {
            format!("abc{}", URL_SAFE_NO_PAD.encode(text))
        }),
        ("wrapped base64", |text| {
            wrapped(&BASE64.encode(text), "\n    ")
        }),
        ("hex", |text| {
            text.bytes().map(|byte| format!("{byte:02X}")).collect()
        }),
        ("hex at 1", |text| {
            format!(
                "a{}",
                text.bytes()
                    .map(|byte| format!("{byte:02x}"))
                    .collect::<String>()
            )
        }),
        ("gzip", gzip),
        ("zlib", zlib),
    ];

    fn is_found(text: &str) -> bool {
        let mut find = |view: &str| view.contains(SECRET).then_some(());
        let found = Closure::default().find(text, &mut find);
        found.is_ok_and(|found| found.is_some())
    }

    #[test]
    fn a_secret_is_found_under_any_two_encodings() {
        for (outer, spell) in SPELLINGS {
            assert!(is_found(&format!("a {} b", spell(SECRET))), "{outer}");
            for (inner, first) in SPELLINGS {
                let text = format!("a: \"{}\"\n", spell(&first(SECRET)));
                assert!(is_found(&text), "{inner} in {outer}: {text}");
            }
        }
    }

    #[test]
    fn four_levels_are_undone_and_no_more() {
        let spell =
            |levels: u32| (0..levels).fold(SECRET.to_owned(), |text, _| BASE64.encode(text));
        for (levels, expected) in [(1, true), (4, true), (5, false)] {
            assert_eq!(is_found(&spell(levels)), expected, "{levels}");
        }
    }

    #[test]
    fn what_has_a_secret_in_it_has_it_in_every_text() {
        let mut closure = Closure::default();
        let mut find = |view: &str| view.contains(SECRET).then_some(());
        let bomb = |n: u32| format!(",{}", zlib(&format!("{n}{}", "!".repeat(1 << 20))));
        let much: String = (0..20).map(bomb).collect();
        let twice = BASE64.encode(BASE64.encode(SECRET));
        for (name, text, expected) in [
            ("first", format!("a {twice}"), Some(true)),
            ("again", format!("a {twice}"), Some(true)),
            (
                "beside another",
                format!("a {twice} {}", gzip("b")),
                Some(true),
            ),
            ("too much", format!("{}{much}", gzip(SECRET)), None),
            ("what was in too much", gzip(SECRET), Some(true)),
            ("nothing", BASE64.encode("nothing"), Some(false)),
            ("once more", twice, Some(true)),
        ] {
            let found = closure.find(&text, &mut find).map(|found| found.is_some());
            assert_eq!(found.ok(), expected, "{name}");
        }
    }

    #[test]
    fn labels_and_what_was_met_before_are_not_decoded() {
        let mut closure = Closure::default();
        let mut views = 0;
        let text = format!("b: REDACTED-code-1 {}\n", BASE64.encode("what it says"));
        for expected in [true, false] {
            let before = views;
            let found = closure.find(&text, &mut |view| {
                assert!(!view.contains("REDACTED"), "{view}");
                views += 1;
                None::<()>
            });
            assert!(found.is_ok_and(|found| found.is_none()));
            assert_eq!(views > before, expected);
        }
    }

    #[test]
    fn what_inflates_beyond_the_limit_is_refused_where_it_gets_there() {
        let run = |n: u32| {
            let text = format!("{n}{}", "!".repeat(1 << 20));
            let whole = BASE64.decode(zlib(&text)).expect("base64");
            // Broken off in its last byte: what was read of it counts, too.
            let cut = BASE64.encode(&whole[..whole.len() - 1]);
            [BASE64.encode(whole), cut]
        };
        let runs: Vec<_> = (0..20).map(run).collect();
        for kind in 0..2 {
            let text: String = runs.iter().map(|run| format!("{} ", run[kind])).collect();
            for (count, is_refused) in [(2, false), (runs.len(), true)] {
                let some = &text[..text.len() / runs.len() * count];
                let found = Closure::default().find(some, &mut |_| None::<()>);
                assert_eq!(found.is_err(), is_refused, "{kind}, {count}");
            }
        }
    }

    #[test]
    fn what_unfolds_without_end_is_refused() {
        let line = "=41&amp;\\u0041%41+ QUFBQUFBQUFBQUFBQUFB ";
        let text: String = (0..60_000).map(|n| format!("{n}{line}")).collect();
        let found = Closure::default().find(&text, &mut |_| None::<()>);
        assert!(matches!(found, Err(TooMuch)));
    }
}
