//! The parts of a multipart body (RFC 2046 section 5.1), read strictly: every byte is accounted for.

use crate::model::Headers;

/// One part of a multipart body.
pub struct Part<'a> {
    /// The header fields of the part.
    pub headers: Headers,
    /// Its bytes.
    pub content: &'a [u8],
}

impl Part<'_> {
    /// The `name` of its `Content-Disposition`.
    pub fn name(&self) -> Option<&str> {
        let (_, rest) = self
            .headers
            .get("content-disposition")?
            .split_once("name=\"")?;
        rest.split_once('"').map(|(name, _)| name)
    }
}

/// Splits a body at its boundary lines; `None` unless the parts and the boundaries are all of it.
pub fn parts<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<Part<'a>>> {
    let open = format!("--{boundary}");
    let between = format!("\r\n{open}");
    let mut rest = body.strip_prefix(open.as_bytes())?;
    let mut parts = Vec::new();
    loop {
        if let Some(end) = rest.strip_prefix(b"--") {
            return (end.is_empty() || end == b"\r\n").then_some(parts);
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let head_end = find(rest, b"\r\n\r\n")?;
        let headers = head(&rest[..head_end])?;
        rest = &rest[head_end + 4..];
        // An empty part may end with the boundary that its own head's line end opens.
        let content_end = find(rest, between.as_bytes())?;
        parts.push(Part {
            headers,
            content: &rest[..content_end],
        });
        rest = &rest[content_end + between.len()..];
    }
}

fn head(bytes: &[u8]) -> Option<Headers> {
    let text = std::str::from_utf8(bytes).ok()?;
    let line = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().to_owned()))
    };
    text.split("\r\n").map(line).collect()
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_read_with_their_names() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\n\
            Content-Disposition: form-data; name=\"b\"\r\nContent-Type: text/plain\r\n\r\n\r\n--x--\r\n";
        let parts = parts(body, "x").expect("two parts");
        let read: Vec<_> = parts
            .iter()
            .map(|part| (part.name(), part.content))
            .collect();
        assert_eq!(read, [(Some("a"), &b"1"[..]), (Some("b"), b"")]);
    }

    #[test]
    fn what_is_left_over_refuses_the_whole() {
        let part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
        for (name, body) in [
            ("no end", part.to_owned()),
            ("text behind the end", format!("{part}--x--\r\nsecret")),
            ("text before the first", format!("secret\r\n{part}--x--")),
            ("no head", "--x\r\n1\r\n--x--".to_owned()),
        ] {
            assert!(parts(body.as_bytes(), "x").is_none(), "{name}");
        }
    }
}
