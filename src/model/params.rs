//! Ordered name/value pairs of a query, fragment or form, with their raw spelling and duplicates.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr2;

/// One pair: its values decoded once, and its raw spelling.
#[derive(Clone, PartialEq, Eq)]
pub struct Param {
    /// The decoded name.
    pub name: String,
    /// The decoded value; empty where there is none.
    pub value: String,
    /// `None` where it stood in no query, fragment or form.
    raw: Option<String>,
}

impl Param {
    /// The pair as it stood on the wire; percent-encoded where it stood in no query, fragment or
    /// form.
    pub fn raw(&self) -> Cow<'_, str> {
        match &self.raw {
            Some(raw) => Cow::Borrowed(raw),
            None => Cow::Owned(format!(
                "{}={}",
                percent_encode(&self.name),
                percent_encode(&self.value)
            )),
        }
    }
}

/// The pairs of one query, fragment or form body, in order.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<Param>);

impl Params {
    /// Splits at `&` and decodes each part once as `application/x-www-form-urlencoded` does
    /// (`+` to a space, then `%XX`), which never fails: a stray `%` stands for itself.
    pub fn parse(raw: &str) -> Self {
        if raw.is_empty() {
            return Self::default();
        }
        Self(raw.split('&').map(parse_pair).collect())
    }

    /// The pairs in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Param> {
        self.0.iter()
    }

    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of that name, in order.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |param| param.name == name)
            .map(|param| param.value.as_str())
    }

    /// Whether a pair of that name is there.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, String)> for Params {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let pair = |(name, value): (String, String)| Param {
            name,
            value,
            raw: None,
        };
        Self(pairs.into_iter().map(pair).collect())
    }
}

impl<'a> IntoIterator for &'a Params {
    type Item = &'a Param;
    type IntoIter = std::slice::Iter<'a, Param>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|param| &param.name))
            .finish()
    }
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Param({}, {} bytes)", self.name, self.value.len())
    }
}

/// Decodes `%XX` once, leaving `+` alone; bytes that are no UTF-8 become U+FFFD.
pub fn percent_decode(text: &str) -> String {
    decode(text, false)
}

/// Whether a URL carries the character as it is, wherever it stands (RFC 3986 section 2.3).
pub fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Encodes everything but the unreserved characters of RFC 3986 section 2.3.
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_unreserved(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    out
}

fn parse_pair(raw: &str) -> Param {
    let (name, value) = raw.split_once('=').unwrap_or((raw, ""));
    Param {
        name: decode(name, true),
        value: decode(value, true),
        raw: Some(raw.to_owned()),
    }
}

fn decode(text: &str, plus_is_space: bool) -> String {
    let mut rest = text.as_bytes();
    let Some(mut at) = memchr2(b'%', b'+', rest) else {
        return text.to_owned();
    };
    let mut out = Vec::with_capacity(rest.len());
    loop {
        out.extend_from_slice(&rest[..at]);
        let escape = rest.get(at + 1..at + 3).and_then(hex_pair);
        let (byte, length) = match (rest[at], escape) {
            (b'%', Some(byte)) => (byte, 3),
            (b'+', _) if plus_is_space => (b' ', 1),
            (byte, _) => (byte, 1),
        };
        out.push(byte);
        rest = &rest[at + length..];
        match memchr2(b'%', b'+', rest) {
            Some(next) => at = next,
            None => break,
        }
    }
    out.extend_from_slice(rest);
    String::from_utf8(out)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn hex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digit(pair[0])? * 16 + digit(pair[1])?;
    u8::try_from(value).ok()
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_decoded_once_and_keeps_its_raw_text() {
        let params = Params::parse("code=4%252F0&scope=openid+email&a&a=%&=x&b=%E9");
        let pairs: Vec<_> = params
            .iter()
            .map(|p| (p.name.as_str(), p.value.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("code", "4%2F0"),
                ("scope", "openid email"),
                ("a", ""),
                ("a", "%"),
                ("", "x"),
                ("b", "\u{fffd}")
            ]
        );
        let raw: Vec<_> = params.iter().map(|p| p.raw()).collect();
        assert_eq!(
            raw.join("&"),
            "code=4%252F0&scope=openid+email&a&a=%&=x&b=%E9"
        );
    }

    #[test]
    fn debug_shows_names_and_no_values() {
        assert_eq!(
            format!("{:?}", Params::parse("code=hunter2")),
            r#"["code"]"#
        );
    }

    #[test]
    fn percent_encoding_keeps_only_the_unreserved() {
        assert_eq!(percent_encode("a-b._~/+ é"), "a-b._~%2F%2B%20%C3%A9");
        assert_eq!(percent_decode("a%2Fb+c%zz"), "a/b+c%zz");
    }
}
