//! Bodies by what they are, not by what their header says.

use crate::model::{Captured, Headers, Heard, Params, multipart, percent_decode};
use crate::oauth::fields::Reading;
use crate::oauth::jwt;
use crate::oauth::page::Page;
use crate::oauth::registry::{self, Class, Place};
use crate::oauth::sniff::{Sniff, boundary, sniff};
use crate::redact::Redactor;
use crate::redact::content::{AbsentBody, DropReason, DroppedBody, JsonWire, RecordedPart};
use crate::redact::decode::{unescape_all, utf16};
use crate::redact::entry::Named;
use crate::redact::form::RecordedForm;
use crate::redact::interaction::{RecordedRequest, RecordedResponse};
use crate::redact::json;
use crate::redact::redactor::writes_back;
use crate::redact::text::{is_quote, is_separator};
use crate::redact::vocabulary::is_plain;

/// A body on its way into an interaction.
#[derive(Default)]
struct Body {
    form: Vec<Named<String>>,
    raw_form: Option<String>,
    json: Option<String>,
    wire: Option<JsonWire>,
    text: Option<String>,
    multipart: Vec<RecordedPart>,
    forms: Vec<RecordedForm>,
    absent: Option<AbsentBody>,
}

impl Redactor {
    /// Fills in the body of a request.
    pub(super) fn request_body(
        &mut self,
        place: Place,
        reading: &Reading<'_>,
        request: &mut RecordedRequest,
    ) {
        let said = reading.said;
        let body = self.body(place, &said.body, reading.fields.sniff);
        let body = self.unless_full(body, &said.body, reading.fields.sniff);
        self.is_unread = matches!(
            &body.absent,
            Some(AbsentBody::Dropped(dropped))
                if !matches!(dropped.dropped, DropReason::Page | DropReason::UnknownText)
        );
        let announced = ["POST", "PUT", "PATCH"].contains(&said.method.as_str());
        request.form = body.form;
        request.raw_form = body.raw_form;
        request.json = body.json;
        request.wire = body.wire;
        request.text = body.text;
        request.multipart = body.multipart;
        request.body = body
            .absent
            .filter(|absent| announced || *absent != AbsentBody::Empty);
        self.keep_dropped(&mut request.body, &said.body);
    }

    /// Fills in the body of a response.
    pub(super) fn response_body(
        &mut self,
        place: Place,
        reading: &Reading<'_>,
        heard: &Heard,
        response: &mut RecordedResponse,
    ) {
        let sniffed = reading.answer.sniff.unwrap_or(Sniff::Empty);
        let mut body = self.body(place, &heard.body, sniffed);
        let is_page = matches!(
            &body.absent,
            Some(AbsentBody::Dropped(dropped)) if dropped.dropped == DropReason::Page
        );
        if let Some(page) = reading.answer.page().filter(|_| is_page) {
            body.forms = self.page(page);
        }
        let body = self.unless_full(body, &heard.body, sniffed);
        let bodiless = reading.said.method == "HEAD" || matches!(heard.status, 204 | 300..400);
        response.form = body.form;
        response.raw_form = body.raw_form;
        response.json = body.json;
        response.wire = body.wire;
        response.text = body.text;
        response.forms = body.forms;
        response.body = body
            .absent
            .filter(|absent| !bodiless || *absent != AbsentBody::Empty);
        if !body.multipart.is_empty() {
            response.body = Some(dropped(DropReason::Binary, &heard.body, Sniff::Multipart));
        }
        self.keep_dropped(&mut response.body, &heard.body);
    }

    /// The body, unless secrets may stand in it that the ledger had no room for. What is secret in
    /// it was learned all the same, for the rest of the exchange.
    fn unless_full(&self, body: Body, captured: &Captured, sniffed: Sniff) -> Body {
        let is_absent = body.absent.is_some() && body.forms.is_empty();
        if is_absent || !self.ledger.is_full() {
            return body;
        }
        Body {
            absent: Some(dropped(DropReason::LedgerFull, captured, sniffed)),
            ..Body::default()
        }
    }

    fn body(&mut self, place: Place, captured: &Captured, sniffed: Sniff) -> Body {
        if captured.size == 0 && captured.cut.is_none() {
            return Body {
                absent: Some(AbsentBody::Empty),
                ..Body::default()
            };
        }
        let refused = if captured.cut.is_some() {
            Some(DropReason::Cut)
        } else if !captured.is_whole() {
            Some(DropReason::TooLarge)
        } else {
            captured.is_coded.then_some(DropReason::Encoded)
        };
        let drop = |reason| Body {
            absent: Some(dropped(reason, captured, sniffed)),
            ..Body::default()
        };
        if let Some(reason) = refused {
            return drop(reason);
        }
        let Ok(text) = std::str::from_utf8(&captured.bytes) else {
            // Nobody can read it in the cassette, but what it says may be said again.
            if let Some(text) = utf16(&captured.bytes) {
                self.hear(&text, is_telling);
                if sniff(text.as_bytes()) == Sniff::Html {
                    self.page(&Page::read(&text));
                }
            }
            return drop(DropReason::Binary);
        };
        match sniffed {
            Sniff::Form | Sniff::FormHtmlAmp => self.form_body(place, text),
            Sniff::FormPctEncodedWhole => Body {
                text: Some(self.encoded_form(text)),
                ..Body::default()
            },
            Sniff::Json => self.json_body(place, text),
            Sniff::Multipart => self.multipart_body(place, captured).unwrap_or_else(|| {
                self.hear(text, is_telling);
                drop(DropReason::UnknownText)
            }),
            Sniff::Html | Sniff::Xml => {
                self.hear(text, is_strange);
                if sniffed == Sniff::Xml {
                    self.document(text);
                }
                drop(DropReason::Page)
            }
            _ if is_jwt(text) => Body {
                text: Some(self.value(place, JWT, text)),
                ..Body::default()
            },
            _ => {
                self.hear(text, is_telling);
                drop(DropReason::UnknownText)
            }
        }
    }

    /// Notes what a text says that is dropped: it may be said again where it would be kept.
    pub(super) fn hear(&mut self, text: &str, is_noted: fn(&str) -> bool) {
        let text = unescape_all(text).unwrap_or_else(|| text.to_owned());
        let quoted = text.split(['"', '\'']).skip(1).step_by(2);
        let words = text.split(is_separator).chain(text.split(is_quote));
        for heard in words.chain(quoted).filter(|heard| is_noted(heard)) {
            self.ledger.hear(heard);
        }
    }

    fn form_body(&mut self, place: Place, text: &str) -> Body {
        let form = self.pairs(place, &Params::parse(text.trim_end_matches(['\r', '\n'])));
        let raw_form = (!writes_back(text)).then(|| self.raw_params(text));
        Body {
            form,
            raw_form,
            ..Body::default()
        }
    }

    /// A form that was percent-encoded as a whole stays so.
    pub(super) fn encoded_form(&mut self, text: &str) -> String {
        crate::redact::urls::encode(&self.raw_params(&percent_decode(text)))
    }

    fn json_body(&mut self, place: Place, text: &str) -> Body {
        let redacted = self.json_text(place, text);
        let compact = json::is_compact(text);
        Body {
            json: Some(if compact {
                json::pretty(&redacted)
            } else {
                redacted
            }),
            wire: Some(if compact {
                JsonWire::Compact
            } else {
                JsonWire::Exact
            }),
            ..Body::default()
        }
    }

    pub(super) fn json_text(&mut self, place: Place, text: &str) -> String {
        let this = std::cell::RefCell::new(self);
        json::rewrite(
            text,
            |scalar| {
                let mut this = this.borrow_mut();
                if scalar.is_string {
                    let value = this.value(place, scalar.key, scalar.value);
                    return (value != scalar.value).then_some(value);
                }
                if matches!(scalar.value, "true" | "false" | "null") {
                    return None;
                }
                this.number(place, scalar.key, scalar.value)
            },
            |key| this.borrow_mut().member(key),
        )
    }

    /// What is written of the name of a member; `None` where its spelling is kept.
    pub(super) fn member(&mut self, key: &str) -> Option<String> {
        let name = self.name(key);
        (name != key).then_some(name)
    }

    fn multipart_body(&mut self, place: Place, captured: &Captured) -> Option<Body> {
        let parts = multipart::parts(&captured.bytes, boundary(&captured.bytes)?)?;
        let mut recorded = Vec::new();
        for part in &parts {
            let text = std::str::from_utf8(part.content).ok()?;
            let name = part.name().unwrap_or_default();
            let kept = registry::class(place, name) == Some(Class::Keep) || !name.is_empty();
            // Names of files are left out, and may be said again.
            if let Some(disposition) = part.headers.get("content-disposition") {
                self.hear(disposition, is_telling);
            }
            recorded.push(RecordedPart {
                headers: self.part_headers(&part.headers, name),
                text: self.value(place, if kept { name } else { "" }, text),
            });
        }
        Some(Body {
            multipart: recorded,
            ..Body::default()
        })
    }

    /// The name of the field, without the name of a file unless nothing is hidden.
    fn part_headers(&mut self, headers: &Headers, name: &str) -> Vec<Named<String>> {
        let mut out = Vec::new();
        for header in headers {
            if header.name.eq_ignore_ascii_case("content-disposition") {
                let name = self.name(name);
                let file = self.file_name(&header.value);
                out.push(Named::new(
                    header.name.clone(),
                    format!("form-data; name=\"{name}\"{file}"),
                ));
            } else if header.name.eq_ignore_ascii_case("content-type") {
                let value = String::from_utf8_lossy(&header.value);
                out.push(Named::new(header.name.clone(), self.free_text(&value)));
            }
        }
        out
    }
}

/// Whether a body is a JWT as a whole, signed or encrypted (RFC 9701, OpenID Connect Core section 5.3.2).
fn is_jwt(text: &str) -> bool {
    let text = text.trim();
    jwt::parse(text).is_some() || jwt::encrypted(text).is_some()
}

/// Whether a run may be somebody's, and is long enough to be told from chance.
pub(super) fn is_strange(run: &str) -> bool {
    (HEARD_MIN..=HEARD_MAX).contains(&run.len()) && !is_plain(run)
}

/// The same, or a word with a number behind it, of which people make passwords.
fn is_telling(run: &str) -> bool {
    let letters = run.chars().filter(char::is_ascii_alphabetic).count();
    let has_number = run.ends_with(|c: char| !c.is_ascii_alphabetic())
        && run.bytes().any(|byte| byte.is_ascii_digit());
    is_strange(run)
        || run.len() <= HEARD_MAX && letters >= HEARD_MIN && has_number && !run.contains(['/', '.'])
}

fn dropped(dropped: DropReason, captured: &Captured, sniff: Sniff) -> AbsentBody {
    AbsentBody::Dropped(DroppedBody {
        dropped,
        size: rounded(captured.size),
        sniff: Some(sniff),
        text: None,
        base64: None,
    })
}

/// A size that tells little: of a text that is but a one-time code it would be the code's length.
fn rounded(size: u64) -> u64 {
    let rounded = size.max(SIZE_MIN).checked_next_power_of_two();
    rounded.filter(|_| size > 0).unwrap_or(size)
}

/// The name of a body that is one.
const JWT: &str = "jwt";
/// The least size that is told of a body that has any.
const SIZE_MIN: u64 = 64;
/// Bytes of the shortest run that is noted of a dropped text.
const HEARD_MIN: usize = 4;
/// And of the longest.
const HEARD_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_tells_no_length_of_what_is_short() {
        for (size, expected) in [
            (0, 0),
            (1, 64),
            (6, 64),
            (64, 64),
            (65, 128),
            (100 << 20, 128 << 20),
            (u64::MAX, u64::MAX),
        ] {
            assert_eq!(rounded(size), expected, "{size}");
        }
    }
}
