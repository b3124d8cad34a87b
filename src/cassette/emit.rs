//! The writer: one text for one cassette, which every YAML reader reads back the same.
//!
//! A scalar is written plain only where YAML 1.1 and 1.2 readers alike take it for that string;
//! everything else is quoted. No crate's emitter guarantees that (see the design notes).

use std::fmt::{Display, Write as _};
use std::time::Duration;

use crate::cassette::{Cassette, Header, Stamp, VERSION};
use crate::oauth::facts::Facts;
use crate::redact::{
    BasicCredentials, Content, Declaration, Interaction, Named, Profile, RecordedField,
    RecordedForm, RecordedPart, RecordedRequest, RecordedResponse,
};

/// The whole cassette as text.
pub fn write(cassette: &Cassette) -> String {
    let mut out = head(&cassette.header);
    cassette
        .interactions
        .iter()
        .for_each(|interaction| out.push_str(&entry(interaction)));
    out
}

/// What a recording writes before its first interaction.
pub fn part_header(header: &Header) -> String {
    head(&Header {
        server: None,
        redacted: Vec::new(),
        ledger_full_at: None,
        audit: None,
        ..header.clone()
    })
}

/// One interaction, closed by its `# end` line, which tells a whole one from one that was cut.
pub fn entry(interaction: &Interaction) -> String {
    let mut out = Lines::default();
    out.text.push_str("\n- id: ");
    out.raw(interaction.id());
    out.indent = 1;
    out.scalar("step", interaction.step().as_str());
    out.key("at", seconds(interaction.at()));
    out.open("request");
    out.request(interaction.request());
    out.close();
    if let Some(response) = interaction.response() {
        out.open("response");
        out.response(response);
        out.close();
    }
    if let Some(error) = interaction.error() {
        out.open("error");
        out.scalar("kind", error.kind().as_str());
        out.scalar("phase", error.phase().as_str());
        out.key("after", seconds(error.after()));
        out.close();
    }
    out.facts(interaction.facts());
    out.secrets(interaction.secrets());
    out.text.push_str("# end ");
    out.raw(interaction.id());
    out.text
}

fn head(header: &Header) -> String {
    let mut out = Lines::default();
    out.key("authtape", VERSION);
    out.scalar("recorded_by", &header.recorded_by);
    out.scalar("recorded_at", &header.recorded_at);
    if header.profile != Profile::default() {
        out.scalar("profile", header.profile.as_str());
    }
    if let Some(server) = &header.server {
        out.scalar("server", server);
    }
    if !header.insecure_upstream.is_empty() {
        let hosts = serde_json::json!(header.insecure_upstream);
        out.key("insecure_upstream", hosts);
    }
    if !header.redacted.is_empty() {
        let counts = header
            .redacted
            .iter()
            .map(|count| (count.name.as_str(), count.value.to_string()));
        out.key("redacted", flow(counts));
    }
    if let Some(at) = header.ledger_full_at {
        out.key("ledger_full_at", at);
    }
    if let Some(mutant) = &header.mutant {
        out.open("mutant");
        out.scalar("kind", &mutant.kind);
        out.scalar("changed", &mutant.changed);
        out.scalar("client", &mutant.client);
        out.scalar("see", &mutant.see);
        out.close();
    }
    if let Some(stamp) = &header.audit {
        out.key("audit", stamped(stamp));
    }
    out.text.push_str("interactions:\n");
    out.text
}

#[derive(Default)]
struct Lines {
    text: String,
    indent: usize,
}

impl Lines {
    fn raw(&mut self, value: impl Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{value}");
    }

    fn key(&mut self, key: &str, value: impl Display) {
        self.begin(key);
        self.raw(value);
    }

    fn scalar(&mut self, key: &str, value: &str) {
        self.begin(key);
        push_scalar(value, &mut self.text);
        self.text.push('\n');
    }

    fn begin(&mut self, key: &str) {
        self.indent(self.indent);
        self.text.push_str(key);
        self.text.push_str(": ");
    }

    fn indent(&mut self, level: usize) {
        (0..level).for_each(|_| self.text.push_str("  "));
    }

    fn optional(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.scalar(key, value);
        }
    }

    fn open(&mut self, key: &str) {
        self.indent(self.indent);
        self.text.push_str(key);
        self.text.push_str(":\n");
        self.indent += 1;
    }

    fn close(&mut self) {
        self.indent -= 1;
    }

    fn pairs(&mut self, key: &str, pairs: &[Named<String>]) {
        if pairs.is_empty() {
            return;
        }
        self.open(key);
        self.close();
        self.items(pairs);
    }

    fn items(&mut self, pairs: &[Named<String>]) {
        for pair in pairs {
            self.indent(self.indent);
            self.text.push_str("- ");
            push_scalar(&pair.name, &mut self.text);
            self.text.push_str(": ");
            push_scalar(&pair.value, &mut self.text);
            self.text.push('\n');
        }
    }

    /// A literal block where every reader gives the same text back, else a quoted scalar.
    fn block(&mut self, key: &str, text: &str) {
        let simple = |line: &str| line.chars().all(is_printable) && !line.ends_with(' ');
        let starts_well = !text.starts_with([' ', '\n']);
        if !text.contains('\n')
            || !starts_well
            || text.ends_with('\n')
            || !text.split('\n').all(simple)
        {
            return self.scalar(key, text);
        }
        self.key(key, "|-");
        for line in text.split('\n') {
            if !line.is_empty() {
                self.indent(self.indent + 1);
            }
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    fn request(&mut self, request: &RecordedRequest) {
        self.scalar("method", request.method());
        self.scalar("url", request.url());
        self.scalar("http", request.http());
        self.pairs("query", request.query());
        self.optional("raw_query", request.raw_query());
        self.pairs("headers", request.header_fields());
        if let Some(BasicCredentials { user, password }) = request.basic() {
            let halves = [("user", Some(user)), ("password", password.as_ref())];
            let halves = halves
                .into_iter()
                .filter_map(|(key, half)| Some((key, flow_scalar(half?))));
            self.key("basic", flow(halves));
        }
        self.optional(
            "framing",
            request.framing().map(crate::model::Framing::as_str),
        );
        self.content(request.content());
        self.pairs("trailers", request.trailer_fields());
    }

    fn response(&mut self, response: &RecordedResponse) {
        self.key("status", response.status());
        self.optional("reason", response.reason());
        self.optional("http", response.http());
        self.key("after", seconds(response.after()));
        self.pairs("headers", response.header_fields());
        self.optional(
            "framing",
            response.framing().map(crate::model::Framing::as_str),
        );
        self.content(response.content());
        self.forms(response.forms());
        self.pairs("trailers", response.trailer_fields());
    }

    fn content(&mut self, content: Content<'_>) {
        match content {
            Content::None => {}
            Content::Empty => self.key("body", "empty"),
            Content::Form { pairs, raw } => {
                self.pairs("form", pairs);
                self.optional("raw_form", raw);
            }
            Content::Json { text, wire } => {
                self.block("json", text);
                self.scalar("wire", wire.as_str());
            }
            Content::Text(text) => self.block("text", text),
            Content::Multipart(parts) => self.parts(parts),
            Content::Dropped(dropped) => {
                let mut fields = vec![
                    ("dropped", dropped.dropped.to_string()),
                    ("size", dropped.size.to_string()),
                ];
                fields.extend(dropped.sniff.map(|sniff| ("sniff", sniff.to_string())));
                let raw = [("text", &dropped.text), ("base64", &dropped.base64)];
                fields.extend(
                    raw.into_iter()
                        .filter_map(|(key, raw)| Some((key, flow_scalar(raw.as_ref()?.reveal())))),
                );
                self.key("body", flow(fields));
            }
        }
    }

    fn forms(&mut self, forms: &[RecordedForm]) {
        if forms.is_empty() {
            return;
        }
        self.open("forms");
        for form in forms {
            self.indent -= 1;
            self.scalar("- method", form.method().as_str());
            self.indent += 1;
            self.scalar("action", form.action());
            if form.auto_submit() {
                self.key("auto_submit", "true");
            }
            let field = |field: &RecordedField| {
                let value = field.value.as_deref().map(flow_scalar);
                let value = value.map(|value| ("value", value));
                flow(
                    [("type", field.r#type.to_string())]
                        .into_iter()
                        .chain(value),
                )
            };
            if !form.fields().is_empty() {
                self.open("fields");
                self.indent -= 1;
                for Named { name, value } in form.fields() {
                    self.key(&format!("- {}", scalar(name)), field(value));
                }
            }
        }
        self.close();
    }

    fn parts(&mut self, parts: &[RecordedPart]) {
        self.open("multipart");
        self.close();
        for part in parts {
            self.open("- headers");
            self.items(part.header_fields());
            self.block("text", part.text());
            self.close();
        }
    }

    fn facts(&mut self, facts: &Facts) {
        let words = facts.words();
        if !words.is_empty() {
            self.open("facts");
            for (key, value) in &words {
                self.key(key, fact(value));
            }
            self.close();
        }
    }

    fn secrets(&mut self, secrets: &[Named<Declaration>]) {
        if secrets.is_empty() {
            return;
        }
        self.open("secrets");
        for secret in secrets {
            self.key(&scalar(&secret.name), declaration(&secret.value));
        }
        self.close();
    }
}

fn declaration(declaration: &Declaration) -> String {
    let fields = [
        (
            "length",
            declaration.length.map(|length| length.to_string()),
        ),
        (
            "alphabet",
            declaration.alphabet.map(|alphabet| alphabet.to_string()),
        ),
        ("prefix", declaration.prefix.as_deref().map(flow_scalar)),
        ("type", declaration.r#type.as_deref().map(flow_scalar)),
        (
            "jwt_header",
            declaration.jwt_header.as_deref().map(flow_scalar),
        ),
        (
            "jwt_claims",
            declaration.jwt_claims.as_deref().map(flow_scalar),
        ),
        (
            "value",
            declaration
                .value
                .as_ref()
                .map(|value| flow_scalar(value.reveal())),
        ),
    ];
    flow(
        fields
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?))),
    )
}

fn fact(value: &str) -> String {
    let typed = matches!(value, "true" | "false") || value.parse::<i64>().is_ok();
    if typed {
        value.to_owned()
    } else {
        scalar(value)
    }
}

fn flow<'a>(fields: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    format!("{{{}}}", fields.join(", "))
}

fn stamped(stamp: &Stamp) -> String {
    flow([
        ("rules", stamp.rules.to_string()),
        ("secrets", stamp.secrets.to_string()),
        ("patterns", stamp.patterns.to_string()),
        ("depth", stamp.depth.to_string()),
        ("hits", stamp.hits.to_string()),
        ("sum", flow_scalar(&stamp.sum)),
    ])
}

/// Seconds with their thousandths.
fn seconds(duration: Duration) -> String {
    let rounded = duration + Duration::from_micros(500);
    format!("{}.{:03}", rounded.as_secs(), rounded.subsec_millis())
}

/// A scalar inside a flow collection, where commas and brackets are marks.
fn flow_scalar(text: &str) -> String {
    if text.contains([',', '[', ']', '{', '}']) {
        quoted(text)
    } else {
        scalar(text)
    }
}

/// A scalar that reads back as this string under YAML 1.1 and 1.2.
fn scalar(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_scalar(text, &mut out);
    out
}

fn push_scalar(text: &str, out: &mut String) {
    if is_plain(text) {
        out.push_str(text);
    } else {
        out.push_str(&quoted(text));
    }
}

fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let starts = bytes
        .first()
        .is_some_and(|first| first.is_ascii_alphabetic() || b"/_".contains(first));
    let chars = bytes
        .iter()
        .all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    let is_mark = |pair: &[u8]| pair == b": " || pair == b" #";
    let marks = bytes.windows(2).any(is_mark) || text.ends_with([':', ' ']);
    let retyped = RETYPED.iter().any(|word| text.eq_ignore_ascii_case(word));
    starts && chars && !marks && !retyped
}

fn quoted(text: &str) -> String {
    if text.contains('"') && !text.contains('\'') && text.chars().all(is_printable) {
        return format!("'{text}'");
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            c => {
                let code = u32::from(c);
                // Writing to a string does not fail.
                let _ = if code <= 0xffff {
                    write!(out, "\\u{code:04x}")
                } else {
                    write!(out, "\\U{code:08x}")
                };
            }
        }
    }
    out.push('"');
    out
}

/// Not a control, a line separator, a direction mark or a code point that no reader agrees on.
fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    !(c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{e0fff}'))
}

/// Words that some reader takes for a boolean, a null or a number.
const RETYPED: &[&str] = &["false", "n", "no", "null", "off", "on", "true", "y", "yes"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_is_plain_only_where_nobody_retypes_it() {
        for (text, expected) in [
            ("accounts.example.com", "accounts.example.com"),
            (
                "https://shop.example.org/cb?a=b",
                "https://shop.example.org/cb?a=b",
            ),
            ("REDACTED-code-1--pct", "REDACTED-code-1--pct"),
            (
                "REDACTED-client_secret-1\n",
                "\"REDACTED-client_secret-1\\n\"",
            ),
            ("1.1", "\"1.1\""),
            ("no", "\"no\""),
            ("Null", "\"Null\""),
            ("2026-11-23", "\"2026-11-23\""),
            ("12:30", "\"12:30\""),
            ("", "\"\""),
            ("~", "\"~\""),
            ("a: b", "\"a: b\""),
            ("a #b", "\"a #b\""),
            ("ends:", "\"ends:\""),
            ("*/*", "\"*/*\""),
            ("{\"a\":1}", "'{\"a\":1}'"),
            ("caf\u{e9}", "\"caf\u{e9}\""),
            ("\u{1b}[31m\u{202e}", "\"\\u001b[31m\\u202e\""),
        ] {
            assert_eq!(scalar(text), expected, "{text:?}");
            let read: String = serde_yaml::from_str(&scalar(text)).expect(text);
            assert_eq!(read, text);
        }
    }
}
