//! Pages: the body is dropped, its forms are written, and the rest of what it says is learned.

use crate::model::{Params, percent_decode};
use crate::oauth::page::{Field, FieldKind, Form, Page};
use crate::oauth::{name, registry};
use crate::redact::Redactor;
use crate::redact::decode::unescape_all;
use crate::redact::entry::Named;
use crate::redact::form::{RecordedField, RecordedForm};
use crate::redact::headers::is_correlation_id;
use crate::redact::ledger::Shape;
use crate::redact::pattern::{self, Looks};
use crate::redact::text::{PART_ENDS, is_separator};
use crate::redact::urls::url_place;
use crate::redact::vocabulary::{is_host, is_host_label, is_plain};

/// How much is still learned of a page or a document; what comes then is remembered as heard, which
/// takes less room and is found where it is said again as it stands.
pub(super) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(LEARNED_MAX)
    }
}

impl Room {
    /// Whether there is room for a value, which takes it.
    fn takes(&mut self, value: &str) -> bool {
        let left = self.0.checked_sub(LEARNED_EACH + value.len());
        let left = left.filter(|_| value.len() <= LEARNED_LONGEST);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

impl Redactor {
    /// What is written of a page: its forms. Whatever else is in it is only learned.
    pub(super) fn page(&mut self, page: &Page) -> Vec<RecordedForm> {
        let forms = page.forms.iter().map(|form| self.form(form)).collect();
        let mut room = Room::default();
        for address in &page.addresses {
            self.learn_address(address, &mut room);
        }
        for value in &page.values {
            self.learn("page", value, LEARNED_SHORTEST, &mut room);
        }
        for script in page.scripts.iter().chain(&page.values) {
            for literal in literals(script, 0) {
                self.learn("page", &literal, LEARNED_SHORTEST, &mut room);
            }
        }
        forms
    }

    fn form(&mut self, form: &Form) -> RecordedForm {
        RecordedForm {
            method: form.method,
            action: self.url(&form.action),
            auto_submit: form.submits_itself,
            fields: form.fields.iter().map(|field| self.field(field)).collect(),
        }
    }

    fn field(&mut self, field: &Field) -> Named<RecordedField> {
        let value = field.value.as_deref();
        let recorded = RecordedField {
            r#type: field.kind,
            value: value.map(|value| self.field_value(&field.name, field.kind, value)),
        };
        Named::new(self.name(&field.name), recorded)
    }

    /// The value of a field: the words of what is chosen are kept where no row speaks of the name,
    /// what carries a login on is replaced, like everything that a person may have typed.
    pub(super) fn field_value(&mut self, name: &str, kind: FieldKind, value: &str) -> String {
        let is_choice = || {
            let kinds = [
                FieldKind::Checkbox,
                FieldKind::Radio,
                FieldKind::Select,
                FieldKind::Submit,
            ];
            kinds.contains(&kind) && !registry::is_known(name) && is_words(value)
        };
        match kind {
            _ if value.is_empty() => String::new(),
            _ if is_choice() => self.kept(value),
            FieldKind::Password => self.secret(name::PASSWORD, value, Shape::Hidden),
            _ => self.value(url_place(name), name, value),
        }
    }

    /// Learns what stands in an address: the random segments of its path, and the values in its
    /// query and fragment.
    fn learn_address(&mut self, address: &str, room: &mut Room) {
        let (path, params) = address.split_at(address.find(['?', '#']).unwrap_or(address.len()));
        for segment in path.split(['/', ':', '@']) {
            let segment = percent_decode(segment);
            // A word may be part of a host's name as well, which is kept.
            if !segment.split('.').all(is_host_label) {
                self.remember("page", &segment, LEARNED_SHORTEST, room);
            }
        }
        self.learn_params(params, room);
    }

    fn learn_params(&mut self, params: &str, room: &mut Room) {
        for params in params.split(['?', '#']) {
            for param in &Params::parse(params) {
                if !registry::is_known(&param.name) {
                    self.learn("page", &param.value, LEARNED_SHORTEST, room);
                } else if room.takes(&param.value) {
                    self.value(url_place(&param.name), &param.name, &param.value);
                } else {
                    self.ledger.hear(&param.value);
                }
            }
        }
    }

    /// Learns a value that stands nowhere in the cassette yet.
    pub(super) fn learn(&mut self, kind: &str, value: &str, shortest: usize, room: &mut Room) {
        let value = unescape_all(value).unwrap_or_else(|| value.to_owned());
        let value = value.trim();
        if value.contains("://") || value.starts_with('/') {
            self.learn_address(value, room);
        } else {
            self.remember(kind, value, shortest, room);
            // An address may stand behind something else: `0;url=next?a=b`.
            self.learn_params(value.find(['?', '#']).map_or("", |at| &value[at..]), room);
        }
    }

    /// The same for one that holds no others.
    fn remember(&mut self, kind: &str, value: &str, shortest: usize, room: &mut Room) {
        if value.len() < shortest || self.says_nothing(value) || self.ledger.knows(value) {
            return;
        }
        if !room.takes(value) {
            self.ledger.hear(value);
            return;
        }
        let (kind, shape) = match pattern::looks(value) {
            Some(Looks::Email) => ("email", Shape::Typed),
            Some(Looks::Address) => ("address", Shape::Typed),
            _ => (kind, Shape::Hidden),
        };
        self.secret(kind, value, shape);
    }

    /// Whether a text is made of words and names that anybody may know.
    fn says_nothing(&self, text: &str) -> bool {
        let is_part = |part: &str| is_plain(part) || is_host(part);
        let mut words = text.split(|c| is_separator(c) || PART_ENDS.contains(&c));
        self.is_client(text) || is_correlation_id(text) || words.all(is_part)
    }
}

/// Whether a text is made of words alone: a number may be somebody's, such as one of those that an
/// authenticator shows.
fn is_words(text: &str) -> bool {
    is_plain(text) && !text.bytes().any(|byte| byte.is_ascii_digit())
}

/// The string literals of a script, and those inside of them.
fn literals(script: &str, depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 0;
    // Up to where nothing closes what a quote of each kind opens.
    let mut unclosed = [0; QUOTES.len()];
    while let Some(open) = script[at..].find(QUOTES).map(|open| at + open) {
        at = open + 1;
        let quote = script.as_bytes()[open];
        let kind = QUOTES.iter().position(|known| *known == char::from(quote));
        let unclosed = &mut unclosed[kind.unwrap_or_default()];
        if at < *unclosed {
            continue;
        }
        let mut escaped = false;
        let end = script[at..].bytes().position(|byte| {
            let is_end = !escaped && (byte == quote || byte == b'\n' && quote != b'`');
            escaped = !escaped && byte == b'\\';
            is_end
        });
        let end = end.map_or(script.len(), |end| at + end);
        // An apostrophe in a remark opens nothing: what follows it is looked at again.
        if script.as_bytes().get(end) != Some(&quote) {
            *unclosed = end;
            continue;
        }
        let literal = &script[at..end];
        if depth < DEPTH && literal.contains(QUOTES) {
            let inner = unescape_all(literal).unwrap_or_else(|| literal.to_owned());
            found.extend(literals(&inner, depth + 1));
        }
        found.push(literal.to_owned());
        at = end + 1;
    }
    found
}

const QUOTES: [char; 3] = ['"', '\'', '`'];
/// How deep literals are looked for in literals.
const DEPTH: usize = 3;
/// Bytes of what is learned of a page, and of what finding each value takes besides its own.
const LEARNED_MAX: usize = 4 << 20;
const LEARNED_EACH: usize = 1 << 10;
/// Bytes of the shortest value that is learned, and of the longest.
const LEARNED_SHORTEST: usize = 8;
const LEARNED_LONGEST: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::registry::Place;

    fn learned(page: &str) -> Redactor {
        let mut redactor = Redactor::default();
        redactor.page(&Page::read(page));
        redactor
    }

    /// What is written of a value that stands where any would be kept that is not known.
    fn said_again(redactor: &mut Redactor, value: &str) -> String {
        redactor.value(Place::AuthorizationRequest, name::CLIENT_ID, value)
    }

    #[test]
    fn what_a_page_says_is_replaced_where_it_is_said_again() {
        let secret = "k3v9x2m7q8w4";
        for page in [
            format!("<script>var config = {{\"ctx\": \"{secret}\"}};</script>"),
            format!("<script>// don't\nload('{secret}')</script>"),
            format!("<script>parse('{{\\\"ctx\\\":\\\"{secret}\\\"}}')</script>"),
            format!("<p onclick='go(`{secret}`)'>"),
            format!("<a href='/next?page=2&amp;x={secret}'>"),
            format!("<img src='https://as.example/i#x={secret}'>"),
            format!("<script>go('/next?x={secret}')</script>"),
            format!("<input value={secret}>"),
            format!("<form><input name=x value={secret}></form>"),
            format!("<form action='/login?x={secret}'></form>"),
            format!("<p data-x={secret}>"),
            format!("<p data-x='{{&quot;ctx&quot;:&quot;{secret}&quot;}}'>"),
            format!("<meta name=csrf content={secret}>"),
            format!("<meta http-equiv=refresh content='0;url=/next?x={secret}'>"),
            format!("<p title={secret}>"),
            format!("<p class={secret}>"),
            format!("<p one-time={secret}>"),
            format!("<li value={secret}>"),
            format!("<p action={secret}>"),
            format!("<input type=button value={secret}>"),
            format!("<a href=/reset/{secret}>"),
            format!("<img src='https://{secret}:pw@as.example/i'>"),
            format!("<p>{}<p title={secret}>", junk(2_000)),
            format!("<script>{}'{secret}'</script>", junk(2_000)),
            format!("<form><select><option value=a><option value={secret}></select></form>"),
        ] {
            let mut redactor = learned(&page);
            let label = said_again(&mut redactor, secret);
            assert!(label.starts_with("REDACTED-"), "{page}: {label}");
        }
        let kept = said_again(&mut Redactor::default(), secret);
        assert_eq!(kept, secret, "where no page said it");
    }

    /// So many literals that nobody knows.
    fn junk(count: usize) -> String {
        (0..count)
            .map(|n| format!("<p data-x='zq{n:06}'>"))
            .collect()
    }

    #[test]
    fn a_long_value_is_learned_whole() {
        let long = "k3v9x2m7q8w4".repeat(LEARNED_LONGEST / 12);
        let mut redactor = learned(&format!("<p title={long}>"));
        assert!(said_again(&mut redactor, &long).starts_with("REDACTED-page-1"));
    }

    #[test]
    fn what_there_is_no_room_to_learn_is_replaced_where_words_are_kept() {
        let count = LEARNED_MAX / LEARNED_EACH + 1;
        let mut redactor = learned(&format!("{}<p title='k3v9x2m7 q8w4'>", junk(count)));
        let learned: u32 = redactor.counts().iter().map(|count| count.value).sum();
        assert!((learned as usize) < count, "{learned}");
        let written = redactor.free_text("no zq004095 here");
        assert_eq!(written, format!("no REDACTED-value-1 here"));
    }

    #[test]
    fn literals_are_found_behind_quotes_that_open_nothing() {
        for (script, expected) in [
            ("a('b', \"c\", `d`)", vec!["b", "c", "d"]),
            ("// don't\nload('b')", vec!["b"]),
            ("'\\'\\'\\'\n'b'", vec!["b"]),
            ("' \\' \"b\" \\'", vec!["b"]),
            ("` 'b' \\` 'c'", vec!["b", "c"]),
            ("'a\\'b'", vec!["a\\'b"]),
            ("'", vec![]),
        ] {
            assert_eq!(literals(script, 0), expected, "{script}");
        }
    }

    #[test]
    fn what_everybody_may_know_is_not_learned_of_a_page() {
        let page = "<script>load('application/json', 'https://as.example/authorize', 'Sign in please', 'openid profile', \
            '6f0c1b0e-2d55-4a0a-9a55-2f9c0c6f2f10')</script><script src='/main.js?version=2'></script>";
        assert_eq!(learned(page).counts(), []);
    }

    #[test]
    fn what_is_chosen_is_kept_where_it_is_a_word_and_nobodys() {
        for (field, expected) in [
            ("<button name=decision value=allow>", "allow"),
            ("<button name=decision value='Sign in'>", "Sign in"),
            (
                "<input type=checkbox name=scope value='openid email'>",
                "openid email",
            ),
            (
                "<button name=password value=sunshine>",
                "REDACTED-password-1",
            ),
            (
                "<input type=submit name=username value=rainbow>",
                "REDACTED-username-1",
            ),
            ("<input type=radio name=pin value=4821>", "REDACTED-pin-1"),
            ("<input type=radio name=otp value=4821>", "REDACTED-otp-1"),
            (
                "<input type=checkbox name=state value=summer>",
                "REDACTED-state-1",
            ),
            (
                "<select name=email><option value=garden selected></select>",
                "REDACTED-email-1",
            ),
            (
                "<input type=radio name=choice value=42>",
                "REDACTED-value-1",
            ),
            (
                "<button name=choice value='Sign in as Zweig'>",
                "REDACTED-value-1",
            ),
            (
                "<select name=choice><option value=k3v9x2m7q8w4></select>",
                "REDACTED-value-1",
            ),
        ] {
            let page = Page::read(&format!("<form>{field}</form>"));
            let forms = Redactor::default().page(&page);
            let value = forms[0].fields()[0].value.value.as_deref();
            assert_eq!(value, Some(expected), "{field}");
        }
    }

    #[test]
    fn a_form_is_written_without_what_is_in_it() {
        let page = "<form method=post action='/login?execution=k3v9x2m7q8w4'><input name=username value=jane@corp.example>\
            <input type=password name=anything value=sunshine><input type=hidden name=csrf value=k3v9x2m7q8w5>\
            <input type=hidden name=client_id value=shop><button name=decision value=allow></button>\
            <input type=hidden name='jane@corp.example' value=1></form>";
        let forms = Redactor::default().page(&Page::read(page));
        let fields: Vec<String> = forms[0]
            .fields()
            .iter()
            .map(|field| {
                let value = field.value.value.as_deref().unwrap_or("-");
                format!("{} {} {value}", field.name, field.value.r#type)
            })
            .collect();
        assert_eq!(forms[0].action(), "/login?execution=REDACTED-execution-1");
        assert_eq!(
            fields,
            [
                "username text REDACTED-username-1",
                "anything password REDACTED-password-1",
                "csrf hidden REDACTED-csrf-1",
                "client_id hidden shop",
                "decision submit allow",
                "REDACTED-username-1 hidden REDACTED-value-1",
            ]
        );
    }
}
