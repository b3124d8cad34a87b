//! XML documents, and the SAML messages that are such: all that they say is learned.

use std::io::Read as _;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use flate2::read::DeflateDecoder;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::oauth::name;
use crate::redact::Redactor;
use crate::redact::bodies::is_strange;
use crate::redact::ledger::Shape;
use crate::redact::page::Room;

impl Redactor {
    /// Learns what a document says: its texts and the values of its attributes.
    pub(super) fn document(&mut self, text: &str) {
        let mut room = Room::default();
        for said in sayings(text) {
            let value = said.text.trim();
            if said.is_subject && !value.is_empty() {
                self.secret(name::SUB, value, Shape::Typed);
            } else {
                self.learn("xml", value, LEARNED_SHORTEST, &mut room);
            }
        }
    }

    /// Learns what a parameter says that carries a document: in base64, deflated or not (SAML
    /// Bindings sections 3.4.4.1 and 3.5.4), or as it is.
    pub(super) fn learn_inside(&mut self, name: &str, value: &str) {
        if !CARRIERS.contains(&name) || self.ledger.knows(value) || self.strays.is_some() {
            return;
        }
        if let Some(document) = document_of(value) {
            self.hear(&document, is_strange);
            self.document(&document);
        }
    }
}

/// One text of a document, or the value of an attribute.
struct Saying {
    text: String,
    /// Whether it names somebody, whatever it is.
    is_subject: bool,
}

/// What a document says, as far as it can be read. Entities of its own are not expanded.
fn sayings(text: &str) -> Vec<Saying> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    config.check_end_names = false;
    let mut out = Vec::new();
    let mut run = Saying {
        text: String::new(),
        is_subject: false,
    };
    let mut depth = 0_usize;
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Text(text) => run.text.push_str(&text),
            Event::CData(text) => run.text.push_str(&text),
            Event::GeneralRef(entity) => {
                let known = resolve_predefined_entity(&entity).map(str::to_owned);
                let by_number = || Some(entity.resolve_char_ref().ok()??.to_string());
                run.text
                    .push_str(&known.or_else(by_number).unwrap_or_default());
            }
            Event::Start(element) => {
                depth += 1;
                let is_subject = is_subject(&element);
                attributes(&element, &mut out);
                let next = Saying {
                    text: String::new(),
                    is_subject,
                };
                out.push(std::mem::replace(&mut run, next));
            }
            Event::Empty(element) => attributes(&element, &mut out),
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                let next = Saying {
                    text: String::new(),
                    is_subject: false,
                };
                out.push(std::mem::replace(&mut run, next));
            }
            Event::Comment(text) => out.push(Saying {
                text: text.to_string(),
                is_subject: false,
            }),
            Event::Eof => break,
            _ => {}
        }
        if depth > DEPTH_MAX || out.len() > SAYINGS_MAX {
            break;
        }
    }
    out.push(run);
    out
}

fn is_subject(element: &BytesStart<'_>) -> bool {
    let name = element.local_name();
    SUBJECTS.contains(&name.as_ref())
}

fn attributes(element: &BytesStart<'_>, out: &mut Vec<Saying>) {
    let mut attributes = element.attributes();
    // Whether one stands twice is nothing to us, and takes long to see.
    attributes.with_checks(false);
    for attribute in attributes.flatten() {
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        out.push(Saying {
            text: value
                .unwrap_or_else(|_| attribute.value.clone())
                .into_owned(),
            is_subject: false,
        });
    }
}

fn document_of(value: &str) -> Option<String> {
    let is_document = |text: &str| text.trim_start().starts_with('<');
    if is_document(value) {
        return Some(value.to_owned());
    }
    let packed: String = value.split_ascii_whitespace().collect();
    let engines = [&STANDARD, &URL_SAFE].map(|alphabet| {
        let config = GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true);
        GeneralPurpose::new(alphabet, config)
    });
    let bytes = engines
        .iter()
        .find_map(|engine| engine.decode(&packed).ok())?;
    let inflate = || {
        let mut inflated = Vec::new();
        DeflateDecoder::new(bytes.as_slice())
            .take(DOCUMENT_MAX)
            .read_to_end(&mut inflated)
            .ok()?;
        // The bound may fall inside a character.
        let text = inflated.utf8_chunks().next()?.valid();
        is_document(text).then(|| text.to_owned())
    };
    let text = std::str::from_utf8(&bytes).ok();
    let text = text.filter(|text| is_document(text)).map(str::to_owned);
    text.or_else(inflate)
}

/// Parameters that carry documents: of SAML and WS-Federation, and assertions (RFC 7522, RFC 8693).
const CARRIERS: &[&str] = &[
    "actor_token",
    "subject_token",
    "wresult",
    name::ASSERTION,
    name::SAML_REQUEST,
    name::SAML_RESPONSE,
];
/// Elements that name somebody.
const SUBJECTS: &[&str] = &["BaseID", "NameID", "NameIdentifier"];
/// Characters of the shortest value that is learned.
const LEARNED_SHORTEST: usize = 6;
/// How many bytes of a document are read.
const DOCUMENT_MAX: u64 = 1 << 20;
/// How deep its elements are followed.
const DEPTH_MAX: usize = 64;
/// How many texts and values are learned of one.
const SAYINGS_MAX: usize = 20_000;

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use base64::engine::general_purpose::{STANDARD as PADDED, URL_SAFE_NO_PAD};
    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;
    use crate::oauth::registry::Place;

    const DOCUMENT: &str = "<samlp:Response ID=\"_k3v9x2m7q8\"><saml:NameID>alice</saml:NameID>\
        <a:AttributeValue>jane@corp.example</a:AttributeValue><a:AttributeValue>M&#252;ller &amp; S&#xf6;hne</a:AttributeValue>\
        <![CDATA[zx8qw3er5ty7]]><!-- ui9op1as2df4 --></samlp:Response>";

    #[test]
    fn what_a_saml_message_says_is_replaced_where_it_is_said_again() {
        let mut deflater = DeflateEncoder::new(Vec::new(), Compression::default());
        deflater.write_all(DOCUMENT.as_bytes()).expect("deflated");
        let deflated = deflater.finish().expect("deflated");
        for (name, value) in [
            ("SAMLResponse", PADDED.encode(DOCUMENT)),
            ("SAMLRequest", PADDED.encode(deflated)),
            ("assertion", URL_SAFE_NO_PAD.encode(DOCUMENT)),
            ("wresult", DOCUMENT.to_owned()),
        ] {
            let mut redactor = Redactor::default();
            let label = redactor.value(Place::AuthorizationResponse, name, &value);
            let expected = format!("REDACTED-{}-1", name.to_lowercase());
            assert_eq!(label, expected, "{name}");
            for (text, expected) in [
                ("no alice here", "no REDACTED-sub-1 here"),
                ("no jane@corp.example here", "no REDACTED-email-1 here"),
                ("no zx8qw3er5ty7 here", "no REDACTED-xml-4 here"),
                ("no ui9op1as2df4 here", "no REDACTED-xml-3 here"),
                ("no _k3v9x2m7q8 here", "no REDACTED-xml-1 here"),
                ("nothing to see", "nothing to see"),
            ] {
                assert_eq!(redactor.free_text(text), expected, "{name}");
            }
        }
    }

    #[test]
    fn a_document_that_is_cut_inside_a_character_is_read_up_to_there() {
        for before in ["<a>", "<a>b"] {
            let text = format!("{before}k3v9x2m7q8w4{}", "é".repeat(1 << 20));
            let mut deflater = DeflateEncoder::new(Vec::new(), Compression::best());
            deflater.write_all(text.as_bytes()).expect("deflated");
            let packed = PADDED.encode(deflater.finish().expect("deflated"));
            let read = document_of(&packed).expect(before);
            assert!(DOCUMENT_MAX - read.len() as u64 <= 1, "{before}");
            assert!(text.starts_with(&read), "{before}");
        }
    }

    #[test]
    fn a_document_that_is_made_to_hurt_is_read_within_bounds() {
        let deep = "<a>".repeat(100_000) + "k3v9x2m7q8w4";
        let bomb = "<!DOCTYPE a [<!ENTITY b \"k3v9x2m7q8w4\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
        let mut zeros = DeflateEncoder::new(Vec::new(), Compression::best());
        zeros
            .write_all(format!("<a>{}", " ".repeat(64 << 20)).as_bytes())
            .expect("deflated");
        let zeros = PADDED.encode(zeros.finish().expect("deflated"));
        assert!(sayings(&deep).iter().all(|said| said.text.is_empty()));
        assert!(sayings(bomb).iter().all(|said| said.text.is_empty()));
        let inflated = document_of(&zeros).expect("a document");
        assert_eq!(inflated.len() as u64, DOCUMENT_MAX);
        for text in ["", "PGE", "no document", "<", "<a b", "<a>&x", "</a>"] {
            let mut redactor = Redactor::default();
            redactor.document(text);
            redactor.learn_inside("SAMLResponse", text);
            assert_eq!(redactor.counts(), [], "{text}");
        }
    }
}
