//! What betrays a secret without being it: a few of its characters in a row, and a hash of it.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use crate::oauth::jwt;
use crate::redact::decode::hex_byte;
use crate::redact::index::{Index, Spell};
use crate::redact::label::Label;
use crate::redact::pattern::PREFIXES;
use crate::redact::shape::declare_shape;
use crate::redact::vocabulary::is_plain;

/// Searches for parts and hashes of secrets. They are wiped when it is dropped.
pub(super) struct Fragments<'a> {
    texts: Texts<'a>,
    index: Index<Fragment>,
}

struct Texts<'a> {
    secrets: &'a [(Zeroizing<String>, Label)],
    /// How hashes begin, with the secret that each is of.
    hashes: Vec<(Zeroizing<String>, u32)>,
}

#[derive(Clone, Copy)]
enum Fragment {
    /// Some bytes of a secret.
    Part { of: u32, start: u32, end: u32 },
    /// A hash, by its place among all.
    Hash(u32),
}

impl<'a> Fragments<'a> {
    /// The fragments of secrets; what stands in a public text too is none.
    pub(super) fn of(secrets: &'a [(Zeroizing<String>, Label)], public: &BTreeSet<String>) -> Self {
        Self::within(PARTS_MAX, secrets, public)
    }

    /// The same with no more parts than this.
    fn within(
        parts_max: usize,
        secrets: &'a [(Zeroizing<String>, Label)],
        public: &BTreeSet<String>,
    ) -> Self {
        let public: HashSet<&[u8]> = public
            .iter()
            .flat_map(|text| text.as_bytes().windows(PART_MIN))
            .collect();
        let mut fragments = Self {
            texts: Texts {
                secrets,
                hashes: Vec::new(),
            },
            index: Index::default(),
        };
        let room = parts_max / secrets.len().max(1);
        for (of, (secret, _)) in (0..).zip(secrets) {
            fragments.add_parts(of, parts(secret, room), &public);
            fragments.add_hashes(of, secret);
            // Services of pictures know people by the hash of their address in lower case.
            if secret.contains('@') && secret.bytes().any(|byte| byte.is_ascii_uppercase()) {
                fragments.add_hashes(of, &secret.to_ascii_lowercase());
            }
        }
        fragments
    }

    /// What of which secret stands in the text, in words.
    pub(super) fn find(&self, text: &str) -> Option<String> {
        let hit = self.index.find(text.as_bytes(), 0, &self.texts)?;
        let (what, of) = match hit.value {
            Fragment::Part { of, .. } => ("part", of),
            Fragment::Hash(at) => ("hash", self.texts.hashes.get(at as usize)?.1),
        };
        let (_, label) = self.texts.secrets.get(of as usize)?;
        Some(format!("{what} of a {}", label.kind))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    fn add_parts(&mut self, of: u32, parts: Vec<(usize, usize)>, public: &HashSet<&[u8]>) {
        let secrets = self.texts.secrets;
        let Some((secret, _)) = secrets.get(of as usize) else {
            return;
        };
        for (start, end) in parts {
            let part = &secret.as_bytes()[start..end];
            let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(end)) else {
                return;
            };
            if !public.contains(&part[..PART_MIN]) {
                let fragment = Fragment::Part { of, start, end };
                self.index.add(part, fragment, &self.texts);
            }
        }
    }

    fn add_hashes(&mut self, of: u32, secret: &str) {
        if secret.len() < HASHED_MIN {
            return;
        }
        let digests = [
            Md5::digest(secret).to_vec(),
            Sha1::digest(secret).to_vec(),
            Sha256::digest(secret).to_vec(),
            Sha384::digest(secret).to_vec(),
            Sha512::digest(secret).to_vec(),
        ];
        for digest in digests {
            let hex: String = digest[..HASH_BYTES]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            // Whole or its left half, a hash begins the same.
            let begins = |text: String| text[..HASH_BASE64].to_owned();
            let spelled: BTreeSet<String> = [
                hex.to_ascii_uppercase(),
                hex,
                begins(STANDARD.encode(&digest)),
                begins(URL_SAFE.encode(&digest)),
            ]
            .into();
            for text in spelled {
                let Ok(at) = u32::try_from(self.texts.hashes.len()) else {
                    return;
                };
                let hash = Fragment::Hash(at);
                self.texts.hashes.push((Zeroizing::new(text), of));
                self.index.add(self.texts.text(hash), hash, &self.texts);
            }
        }
    }
}

impl Texts<'_> {
    fn text(&self, fragment: Fragment) -> &[u8] {
        let text = match fragment {
            Fragment::Part { of, start, end } => {
                let secret = self.secrets.get(of as usize);
                secret.and_then(|(secret, _)| secret.get(start as usize..end as usize))
            }
            Fragment::Hash(at) => self.hashes.get(at as usize).map(|(hash, _)| hash.as_str()),
        };
        text.unwrap_or_default().as_bytes()
    }
}

impl Spell<Fragment> for Texts<'_> {
    fn spelled(&self, fragment: Fragment) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.text(fragment))
    }

    fn against(&self, fragment: Fragment, text: &[u8]) -> Result<usize, Ordering> {
        let pattern = self.text(fragment);
        if text.starts_with(pattern) {
            Ok(pattern.len())
        } else {
            Err(pattern.cmp(text))
        }
    }
}

/// The shortest parts of a secret that chance does not write: eight characters or more, none of a
/// public prefix or of a word. A secret of less than 96 bits has none. Where there is no room for
/// all, it is for those at both ends, which is what people quote and programs print of a secret.
fn parts(secret: &str, room: usize) -> Vec<(usize, usize)> {
    if !secret.is_ascii() || declare_shape(secret).is_none() {
        return Vec::new();
    }
    let open = open_characters(secret);
    let marked = with_marks(secret);
    let starts = 0..secret.len().saturating_sub(PART_MIN - 1);
    let part = |start: usize| {
        let rest = start + PART_MIN..=secret.len().min(start + PART_MAX);
        let ends = rest.take_while(|end| {
            open[end - 1] && (*end > start + PART_MIN || open[start..*end].iter().all(|is| *is))
        });
        let mut ends = ends.skip_while(|end| !is_telling(&marked[start..*end]));
        ends.next().map(|end| (start, end))
    };
    let mut all = starts.filter_map(part);
    let mut parts: Vec<_> = all.by_ref().take(room.div_ceil(2)).collect();
    parts.extend(all.rev().take(room / 2));
    parts
}

/// Which characters of a secret nobody else would write: not those of a vendor's prefix, of a JWT's
/// header, and of words.
fn open_characters(secret: &str) -> Vec<bool> {
    let prefix = PREFIXES.iter().find(|prefix| secret.starts_with(**prefix));
    let header = jwt::parse(secret).and_then(|_| secret.find('.'));
    let public = prefix
        .map_or(0, |prefix| prefix.len())
        .max(header.unwrap_or(0));
    let mut open = vec![true; secret.len()];
    open[..public].fill(false);
    let mut start = 0;
    for piece in with_marks(secret).split(|c: char| !c.is_ascii_alphanumeric()) {
        if piece.len() >= WORD_MIN && is_plain(piece) {
            open[start..start + piece.len()].fill(false);
        }
        start += piece.len() + 1;
    }
    open
}

/// Whether a part has 40 bits and is no word with a number behind it.
fn is_telling(part: &str) -> bool {
    let class = |byte: u8| match byte {
        b'0'..=b'9' => Some(0),
        b'a'..=b'z' => Some(1),
        b'A'..=b'Z' => Some(2),
        _ => None,
    };
    let is_hex = part
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let (mut length, mut turns, mut seen, mut previous) = (0_u16, 0, [false; 3], None);
    for class in part.bytes().filter_map(class) {
        length += 1;
        turns += usize::from(previous.is_some_and(|previous| previous != class));
        seen[class] = true;
        previous = Some(class);
    }
    let bits = match seen {
        [true, true, true] if is_hex => 4.45,
        _ if is_hex => 4.0,
        [true, true, true] => 5.9,
        _ => 5.1,
    };
    turns >= TURNS_MIN && f64::from(length) * bits >= BITS_MIN
}

/// The secret with marks in the place of their escapes, which tell as little: `%7B%22in%22%3A` begins
/// every such text.
fn with_marks(secret: &str) -> Cow<'_, str> {
    if !secret.contains('%') {
        return Cow::Borrowed(secret);
    }
    let mut out = String::with_capacity(secret.len());
    let mut rest = secret;
    while let Some((before, behind)) = rest.split_once('%') {
        out.push_str(before);
        let byte = hex_byte(behind.as_bytes());
        let is_mark = byte.is_some_and(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric());
        let (escape, behind) = behind.split_at(if is_mark { 2 } else { 0 });
        out.push_str(&"%".repeat(1 + escape.len()));
        rest = behind;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// How many parts of all secrets together are looked for, some 60 MB of them; each secret has the
/// same share, so that none takes another's.
const PARTS_MAX: usize = 1 << 20;
const PART_MIN: usize = 8;
/// What tells nothing so far is digits or one case: it is not looked at to the end of the secret.
const PART_MAX: usize = 16;
const BITS_MIN: f64 = 40.0;
/// From letters to digits and back, or of case.
const TURNS_MIN: usize = 2;
/// The shortest piece of a secret that may be a word.
const WORD_MIN: usize = 3;
/// What is shorter has hashes that anybody can look up, and is hidden whole.
const HASHED_MIN: usize = 8;
/// Half of the shortest hash.
const HASH_BYTES: usize = 8;
/// As many characters as depend on that half alone.
const HASH_BASE64: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn found(secret: &str, text: &str, public: &[&str]) -> Option<String> {
        let secrets = [(Zeroizing::new(secret.to_owned()), Label::new("code", 1))];
        let public = public.iter().map(|text| (*text).to_owned()).collect();
        Fragments::of(&secrets, &public).find(text)
    }

    #[test]
    fn a_part_of_a_secret_is_found_unless_it_is_public() {
        const TOKEN: &str = "gho_16C7e42F292c6912E7710c838347Ae178B4a";
        const URL64: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        const ESCAPED: &str = "%7B%22in%22%3A%7B%22value%22%3A%22Cn8Qw3Er5Ty7Ui9Op1As%22%7D%7D";
        let part = Some("part of a code".to_owned());
        for (secret, text, expected) in [
            (URL64, "the token ending in gFWFOEjXk", true),
            (URL64, "the token ending in VP-mB92K", true),
            (URL64, "dBjftJeZ is how it begins", true),
            (URL64, "ends in WFOEjXk", false),
            (TOKEN, "a gho_ token ends in 1783", false),
            (TOKEN, "a token ends in 7Ae178B4a", true),
            ("6f1d2c3b4a5968776f1d2c3b4a596877", "x 6f1d2c3b", false),
            ("6f1d2c3b4a5968776f1d2c3b4a596877", "x 6f1d2c3b4a59", true),
            (
                "client-secret-production-8f3kq9z2m4x7",
                "client-secret-production",
                false,
            ),
            ("client-secret-production-8f3kq9z2m4x7", "8f3kq9z2m", true),
            ("90210902109021090210902109021090", "2109021090210", false),
            ("hunter2", "hunter2", false),
            (ESCAPED, "%7B%22in%22%3A%7B%22value%22%3A%22another", false),
            (ESCAPED, "%22%7D%7D", false),
            (ESCAPED, "%3A%22Cn8Qw3Er", true),
            (ESCAPED, "Ui9Op1As%22%7D", true),
            ("Cn8Q%2Fw3Er%2B5Ty7%3DUi9Op1As2Df", "Q%2Fw3Er%2B5Ty", true),
        ] {
            let expected = part.clone().filter(|_| expected);
            assert_eq!(found(secret, text, &[]), expected, "{secret}: {text}");
        }
        let client = "acme7X9kQ2shop";
        let secret = format!("{client}.dBjftJeZ4CVPmB92K27uhbUJU1p1r");
        assert_eq!(found(&secret, client, &[]), part);
        assert_eq!(found(&secret, client, &[client]), None);
    }

    #[test]
    fn where_there_is_no_room_for_all_parts_both_ends_of_each_secret_are_looked_for() {
        let secret = |n: usize| -> String {
            let letter = |at: usize| char::from(b'A' + u8::try_from(at * at * n % 26).unwrap_or(0));
            (0..400)
                .map(|at| format!("{}{}", letter(at), at % 7))
                .collect()
        };
        let secrets: Vec<_> = (1..4)
            .map(|n| (Zeroizing::new(secret(2 * n + 1)), Label::new("code", 1)))
            .collect();
        let hashes = Fragments::within(0, &secrets, &BTreeSet::new()).len();
        for (most, middle) in [(60, false), (10_000, true)] {
            let fragments = Fragments::within(most, &secrets, &BTreeSet::new());
            assert!(fragments.len() - hashes <= most, "{}", fragments.len());
            for (secret, _) in &secrets {
                let end = secret.len();
                for (at, is_found) in [
                    (0..12, true),
                    (end - 12..end, true),
                    (end / 2..end / 2 + 12, middle),
                ] {
                    let found = fragments.find(&secret[at.clone()]).is_some();
                    assert_eq!(found, is_found, "{most}, {at:?} of {}", secret.as_str());
                }
            }
        }
    }

    #[test]
    fn a_hash_of_a_secret_is_found_whole_and_by_its_half() {
        let secret = "Jane.Doe@corp.example";
        let hex =
            |digest: &[u8]| -> String { digest.iter().map(|byte| format!("{byte:02x}")).collect() };
        let lower = secret.to_ascii_lowercase();
        let sha = Sha256::digest(secret);
        for (name, text) in [
            ("MD5 of the lower case", hex(&Md5::digest(&lower))),
            ("SHA-1", hex(&Sha1::digest(secret))),
            ("SHA-256", hex(&sha).to_ascii_uppercase()),
            ("half of SHA-256, base64url", URL_SAFE.encode(&sha[..16])),
            ("SHA-512, base64", STANDARD.encode(Sha512::digest(secret))),
            ("half of SHA-384, hex", hex(&Sha384::digest(secret)[..24])),
        ] {
            let told = found(secret, &format!("id={text};"), &[]);
            assert_eq!(told.as_deref(), Some("hash of a code"), "{name}");
        }
        let other = hex(&Sha256::digest("somebody else"));
        assert_eq!(found(secret, &other, &[]), None);
    }
}
