//! What a body really is, whatever its header says.

use crate::model::{Params, percent_decode, words};
use crate::oauth::members::Members;

words! {
    /// What the bytes of a body are.
    Sniff {
        /// No byte at all.
        Empty = "empty",
        /// `name=value&…`
        Form = "form",
        /// A form whose separators are written `&amp;`.
        FormHtmlAmp = "form-html-amp",
        /// A form that was percent-encoded as a whole.
        FormPctEncodedWhole = "form-pct-encoded-whole",
        /// An HTML page.
        Html = "html",
        /// A JSON value.
        Json = "json",
        /// Parts between boundary lines (RFC 2046 section 5.1).
        Multipart = "multipart",
        /// Some other text.
        Text = "text",
        /// An XML document.
        Xml = "xml",
        /// None of these, or not UTF-8.
        Binary = "binary",
    }
}

/// Tells what the bytes are.
pub fn sniff(bytes: &[u8]) -> Sniff {
    sniff_with(bytes).0
}

/// Tells what the bytes are, and reads them where they are JSON.
pub fn sniff_with(bytes: &[u8]) -> (Sniff, Option<Members<'_>>) {
    if bytes.is_empty() {
        return (Sniff::Empty, None);
    }
    if boundary(bytes).is_some() {
        return (Sniff::Multipart, None);
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return (Sniff::Binary, None);
    };
    let trimmed = text.trim();
    if trimmed.starts_with(['{', '['])
        && let Ok(members) = Members::of(trimmed)
    {
        return (Sniff::Json, Some(members));
    }
    (sniff_text(text, trimmed), None)
}

fn sniff_text(text: &str, trimmed: &str) -> Sniff {
    if trimmed.starts_with('<') {
        let head: String = trimmed
            .chars()
            .take(256)
            .collect::<String>()
            .to_ascii_lowercase();
        let html = [
            "<!doctype html",
            "<html",
            "<head",
            "<body",
            "<form",
            "<title",
        ];
        return if html.iter().any(|tag| head.contains(tag)) {
            Sniff::Html
        } else {
            Sniff::Xml
        };
    }
    sniff_form(text)
}

/// What a media type promises its body to be; `None` where it promises nothing we know.
pub fn promised(media_type: &str) -> Option<Sniff> {
    Some(match media_type {
        "application/x-www-form-urlencoded" => Sniff::Form,
        "application/xml" | "text/xml" => Sniff::Xml,
        "multipart/form-data" => Sniff::Multipart,
        "text/html" => Sniff::Html,
        json if json.ends_with("/json") || json.ends_with("+json") => Sniff::Json,
        _ => return None,
    })
}

/// The boundary of a multipart body: a first line `--token` followed by a part's header lines.
pub fn boundary(bytes: &[u8]) -> Option<&str> {
    let line_end = memchr::memchr(b'\n', bytes.get(..256.min(bytes.len()))?)?;
    let line = std::str::from_utf8(&bytes[..line_end])
        .ok()?
        .strip_suffix('\r')?;
    let token = line.strip_prefix("--")?;
    let head = bytes.get(line_end + 1..)?;
    let named = head
        .get(..20)?
        .eq_ignore_ascii_case(b"content-disposition:");
    (named && !token.is_empty() && token.len() <= 70).then_some(token)
}

fn sniff_form(text: &str) -> Sniff {
    let line = text.trim_end_matches(['\r', '\n']);
    if memchr::memchr2(b'\r', b'\n', line.as_bytes()).is_some() {
        return Sniff::Text;
    }
    if !text.contains(['=', '&']) {
        let decoded = percent_decode(text);
        let whole = decoded != text && looks_like_form(&decoded);
        return if whole {
            Sniff::FormPctEncodedWhole
        } else {
            Sniff::Text
        };
    }
    if !looks_like_form(text) {
        return Sniff::Text;
    }
    let is_escaped = memchr::memmem::find(text.as_bytes(), b"amp").is_some()
        && Params::parse(text)
            .iter()
            .any(|param| param.name.starts_with("amp;"));
    if is_escaped {
        Sniff::FormHtmlAmp
    } else {
        Sniff::Form
    }
}

fn looks_like_form(text: &str) -> bool {
    let Some((name, _)) = text.split_once('=') else {
        return false;
    };
    !name.is_empty() && !name.contains([' ', '<', '{', '"'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_what_its_bytes_say() {
        for (body, expected) in [
            ("", Sniff::Empty),
            ("grant_type=authorization_code&code=abc", Sniff::Form),
            ("grant_type=x\r\n", Sniff::Form),
            ("claims=%7B%7D&a", Sniff::Form),
            ("grant_type=a&amp;code=b", Sniff::FormHtmlAmp),
            (
                "grant_type%3Dauthorization_code%26code%3Dx",
                Sniff::FormPctEncodedWhole,
            ),
            (r#" {"grant_type":"password"}"#, Sniff::Json),
            (r#"{"grant_type":"password"} trailing"#, Sniff::Text),
            (
                "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n",
                Sniff::Multipart,
            ),
            ("--x\r\nnot a part", Sniff::Text),
            ("<!DOCTYPE html><title>Sign in</title>", Sniff::Html),
            ("<?xml version=\"1.0\"?><a/>", Sniff::Xml),
            ("just words", Sniff::Text),
            ("a sentence with x = y", Sniff::Text),
        ] {
            assert_eq!(sniff(body.as_bytes()), expected, "{body}");
        }
        assert_eq!(sniff(&[0xff, 0xfe, 0]), Sniff::Binary);
    }

    #[test]
    fn the_boundary_of_a_multipart_body_is_its_first_line() {
        let body =
            b"--------------------------9f\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";
        assert_eq!(boundary(body), Some("------------------------9f"));
    }
}
