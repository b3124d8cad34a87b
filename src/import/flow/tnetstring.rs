//! Tagged netstrings, as mitmproxy writes them: `length:payload` and a byte for the type.

/// A value, in place. It holds secrets: no `Debug`.
pub(super) enum Value<'a> {
    Bytes(&'a [u8]),
    Text(&'a str),
    Integer(i64),
    Float(f64),
    Flag,
    Null,
    List(Vec<Self>),
    Dict(Vec<(Self, Self)>),
}

/// Why there is no value here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The text ends before the value does.
    CutOff,
    /// It is none.
    Malformed,
}

impl<'a> Value<'a> {
    /// Takes the first value of a text, and what is behind it.
    pub(super) fn take(text: &'a [u8]) -> Result<(Self, &'a [u8]), Fault> {
        take(text, DEPTH_MAX)
    }

    /// A member of a dictionary.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Dict(members) = self else {
            return None;
        };
        let is_it = |key: &Self| match key {
            Self::Text(key) => *key == name,
            Self::Bytes(key) => *key == name.as_bytes(),
            _ => false,
        };
        members
            .iter()
            .find(|(key, _)| is_it(key))
            .map(|(_, value)| value)
    }

    /// The bytes of a text, or of bytes.
    pub(super) fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Text(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    /// A text, or bytes that are one.
    pub(super) fn text(&self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub(super) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn float(&self) -> Option<f64> {
        match self {
            Self::Float(number) => Some(*number),
            #[expect(clippy::cast_precision_loss, reason = "times are far below")]
            Self::Integer(number) => Some(*number as f64),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }
}

fn take(text: &[u8], depth: usize) -> Result<(Value<'_>, &[u8]), Fault> {
    let head = &text[..text.len().min(DIGITS_MAX + 1)];
    let digits = head.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let length = std::str::from_utf8(&text[..digits]).ok();
    match text.get(digits) {
        Some(b':') if digits > 0 => {}
        None if digits <= DIGITS_MAX => return Err(Fault::CutOff),
        _ => return Err(Fault::Malformed),
    }
    let length = length.and_then(|length| length.parse::<usize>().ok());
    let length = length.ok_or(Fault::Malformed)?;
    let rest = &text[digits + 1..];
    let (payload, rest) = rest.split_at_checked(length).ok_or(Fault::CutOff)?;
    let (kind, rest) = rest.split_first().ok_or(Fault::CutOff)?;
    Ok((value(*kind, payload, depth)?, rest))
}

fn value(kind: u8, payload: &[u8], depth: usize) -> Result<Value<'_>, Fault> {
    let text = || std::str::from_utf8(payload).ok().ok_or(Fault::Malformed);
    Ok(match kind {
        b',' => Value::Bytes(payload),
        b';' => Value::Text(text()?),
        b'#' => Value::Integer(text()?.parse().ok().ok_or(Fault::Malformed)?),
        b'^' => Value::Float(text()?.parse().ok().ok_or(Fault::Malformed)?),
        b'!' => Value::Flag,
        b'~' => Value::Null,
        b']' => Value::List(all(payload, depth)?),
        b'}' => {
            let mut members = Vec::new();
            let mut parts = all(payload, depth)?.into_iter();
            while let Some(key) = parts.next() {
                members.push((key, parts.next().ok_or(Fault::Malformed)?));
            }
            Value::Dict(members)
        }
        _ => return Err(Fault::Malformed),
    })
}

fn all(mut text: &[u8], depth: usize) -> Result<Vec<Value<'_>>, Fault> {
    let depth = depth.checked_sub(1).ok_or(Fault::Malformed)?;
    let mut found = Vec::new();
    while !text.is_empty() {
        // What is inside ends where that around it does.
        let (value, rest) = take(text, depth).ok().ok_or(Fault::Malformed)?;
        found.push(value);
        text = rest;
    }
    Ok(found)
}

/// As mitmproxy reads them.
const DIGITS_MAX: usize = 12;
/// A flow has five.
const DEPTH_MAX: usize = 16;
