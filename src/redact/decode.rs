//! What a text is under its escapes.

use zeroize::Zeroizing;

/// The text without one level of escapes of URLs, HTML, JSON and quoted-printable; `None` where
/// there are none.
fn unescape(text: &str) -> Option<String> {
    if !may_escape(text) {
        return None;
    }
    let escape = |rest: &str| match rest.as_bytes().first()? {
        b'%' => percent(rest),
        b'=' => quoted_printable(rest.as_bytes()),
        b'&' => entity(&rest[1..]),
        b'\\' => json_escape(&rest[1..]),
        _ => None,
    };
    let mut bytes = unescaped(text, escape)?;
    String::from_utf8(std::mem::take(&mut *bytes)).ok()
}

/// The bytes of a text with its escapes undone in one scan; `None` where there are none. `escape`
/// gives what the escape spells that a text begins with, and its length.
pub(super) fn unescaped(
    text: &str,
    escape: impl Fn(&str) -> Option<(Vec<u8>, usize)>,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    let mut found = false;
    while let Some(c) = rest.chars().next() {
        let length = if let Some((decoded, length)) = escape(rest) {
            bytes.extend(decoded);
            found = true;
            length
        } else {
            bytes.extend_from_slice(&rest.as_bytes()[..c.len_utf8()]);
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    found.then_some(bytes)
}

/// Whether a text has a mark that escapes begin with.
fn may_escape(text: &str) -> bool {
    text.contains(['%', '&', '=', '\\'])
}

/// The text without any escapes, as far as anybody would nest them.
pub(super) fn unescape_all(text: &str) -> Option<String> {
    let mut plain = unescape(text)?;
    for _ in 1..DEPTH {
        match unescape(&plain) {
            Some(deeper) => plain = deeper,
            None => break,
        }
    }
    Some(plain)
}

/// The text that bytes are in UTF-16, told by a byte order mark or by the zeros of its letters.
pub(super) fn utf16(bytes: &[u8]) -> Option<String> {
    let (pairs, []) = bytes.as_chunks::<2>() else {
        return None;
    };
    let zeros = |at: usize| pairs.iter().filter(|pair| pair[at] == 0).count();
    let is_little = match pairs.first()? {
        [0xff, 0xfe] => true,
        [0xfe, 0xff] => false,
        _ if zeros(1) * 2 > pairs.len() => true,
        _ if zeros(0) * 2 > pairs.len() => false,
        _ => return None,
    };
    let unit = |pair: &[u8; 2]| {
        if is_little {
            u16::from_le_bytes(*pair)
        } else {
            u16::from_be_bytes(*pair)
        }
    };
    let text = String::from_utf16(&pairs.iter().map(unit).collect::<Vec<_>>()).ok()?;
    Some(text.trim_start_matches('\u{feff}').to_owned())
}

/// The byte that an escape of URLs spells (RFC 3986 section 2.1), with its length.
pub(super) fn percent(rest: &str) -> Option<(Vec<u8>, usize)> {
    let byte = hex_byte(rest.strip_prefix('%')?.as_bytes())?;
    Some((vec![byte], 3))
}

/// The byte that two digits spell.
pub(super) fn hex_byte(bytes: &[u8]) -> Option<u8> {
    let [high, low, ..] = bytes else {
        return None;
    };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// The octets of a run of quoted-printable (RFC 2045 section 6.7), with its length; one by itself is
/// as well `max-age=3600`.
fn quoted_printable(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let octet = |chunk: &[u8]| hex_byte(chunk.strip_prefix(b"=")?);
    let octets: Vec<u8> = bytes.chunks(3).map_while(octet).collect();
    let length = octets.len() * 3;
    (octets.len() > 1).then_some((octets, length))
}

/// A reference to a character (HTML section 13.2.5.72), with its length and that of the `&`.
pub(super) fn entity(text: &str) -> Option<(Vec<u8>, usize)> {
    let mut near = text.bytes().take(ENTITY_MAX + 1);
    let end = near.position(|byte| byte == b';')?;
    let name = &text[..end];
    let c = if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        char::from_u32(code)?
    } else {
        ENTITIES.iter().find(|(known, _)| *known == name)?.1
    };
    Some((c.to_string().into_bytes(), end + 2))
}

/// An escape of RFC 8259 section 7, with its length and that of the backslash; those of other
/// languages among them.
pub(super) fn json_escape(text: &str) -> Option<(Vec<u8>, usize)> {
    let code = |digits: Option<&str>| u32::from_str_radix(digits?, 16).ok();
    let first = text.chars().next()?;
    let simple = |c: char| Some((c.to_string().into_bytes(), 2));
    match first {
        '"' | '\\' | '/' | '\'' => simple(first),
        'n' | 'r' | 't' | 'b' | 'f' => simple(' '),
        'x' => Some((
            char::from_u32(code(text.get(1..3))?)?
                .to_string()
                .into_bytes(),
            4,
        )),
        'u' => {
            let high = code(text.get(1..5))?;
            let low = text.get(5..).and_then(|rest| rest.strip_prefix("\\u"));
            let low = low.and_then(|rest| code(rest.get(..4)));
            let pair = low
                .filter(|_| (0xd800..0xdc00).contains(&high))
                .and_then(|low| {
                    char::from_u32(0x10000 + ((high - 0xd800) << 10) + low.checked_sub(0xdc00)?)
                });
            match pair {
                Some(c) => Some((c.to_string().into_bytes(), 12)),
                None => Some((char::from_u32(high)?.to_string().into_bytes(), 6)),
            }
        }
        _ => None,
    }
}

/// How deep escapes are undone.
const DEPTH: usize = 4;
/// The longest reference that is looked for, `#x10ffff`.
const ENTITY_MAX: usize = 10;
const ENTITIES: &[(&str, char)] = &[
    ("amp", '&'),
    ("apos", '\''),
    ("ast", '*'),
    ("colon", ':'),
    ("comma", ','),
    ("commat", '@'),
    ("dollar", '$'),
    ("equals", '='),
    ("excl", '!'),
    ("gt", '>'),
    ("hyphen", '-'),
    ("lowbar", '_'),
    ("lt", '<'),
    ("nbsp", ' '),
    ("num", '#'),
    ("percnt", '%'),
    ("period", '.'),
    ("plus", '+'),
    ("quot", '"'),
    ("semi", ';'),
    ("sol", '/'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_are_read_with_and_without_a_mark() {
        let text = "<html>sé</html>";
        for (mark, is_little) in [
            ("\u{feff}", true),
            ("\u{feff}", false),
            ("", true),
            ("", false),
        ] {
            let units = format!("{mark}{text}");
            let bytes: Vec<u8> = units
                .encode_utf16()
                .flat_map(|unit| {
                    if is_little {
                        unit.to_le_bytes()
                    } else {
                        unit.to_be_bytes()
                    }
                })
                .collect();
            assert_eq!(utf16(&bytes).as_deref(), Some(text), "{is_little}");
            assert_eq!(utf16(&bytes[1..]), None);
        }
        assert_eq!(utf16("no sixteen bits".as_bytes()), None);
        assert_eq!(utf16(&[0xff, 0xfe, 0x00, 0xd8]), None);
    }

    #[test]
    fn escapes_are_undone_however_deep() {
        for (text, expected) in [
            ("a%20b", Some("a b")),
            ("%2541", Some("A")),
            ("&#67;&#x6e;&commat;x", Some("Cn@x")),
            ("=43=6E", Some("Cn")),
            ("\\u0043\\x6e", Some("Cn")),
            ("\\ud83d\\ude00", Some("😀")),
            ("\\\\u0043", Some("C")),
            ("%26%2367;", Some("C")),
            ("a=b", None),
            ("max-age=3600,s-maxage=4200", None),
            ("plain", None),
            ("%ff", None),
        ] {
            assert_eq!(unescape_all(text).as_deref(), expected, "{text}");
        }
    }
}
