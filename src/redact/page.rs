//! Pages: the body is dropped, its forms are written, and the rest of what it says is learned.

use crate::model::Params;
use crate::oauth::page::{Field, FieldKind, Form, Page};
use crate::oauth::{name, registry};
use crate::redact::Redactor;
use crate::redact::decode::unescape_all;
use crate::redact::entry::Named;
use crate::redact::form::{RecordedField, RecordedForm};
use crate::redact::headers::is_correlation_id;
use crate::redact::ledger::Shape;
use crate::redact::pattern::{self, Looks};
use crate::redact::values::{PART_ENDS, is_separator, url_place};
use crate::redact::vocabulary::{is_host, is_plain};

impl Redactor {
    /// What is written of a page: its forms. Whatever else is in it is only learned.
    pub(super) fn page(&mut self, page: &Page) -> Vec<RecordedForm> {
        let forms = page.forms.iter().map(|form| self.form(form)).collect();
        for address in &page.addresses {
            self.learn_query(address);
        }
        let literals = page.scripts.iter().flat_map(|script| literals(script, 0));
        let values = page.values.iter().cloned();
        for value in values.chain(literals).take(LEARNED_MAX) {
            self.learn("page", &value, LEARNED_SHORTEST);
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

    /// Learns the values in a query or fragment of an address.
    fn learn_query(&mut self, address: &str) {
        let at = address.find(['?', '#']).map(|at| at + 1);
        for params in at.map_or("", |at| &address[at..]).split(['?', '#']) {
            for param in &Params::parse(params) {
                if registry::is_known(&param.name) {
                    self.value(url_place(&param.name), &param.name, &param.value);
                } else {
                    self.learn("page", &param.value, LEARNED_SHORTEST);
                }
            }
        }
    }

    /// Learns a value that stands nowhere in the cassette yet.
    pub(super) fn learn(&mut self, kind: &str, value: &str, shortest: usize) {
        let value = unescape_all(value).unwrap_or_else(|| value.to_owned());
        let value = value.trim();
        if !(shortest..=LEARNED_LONGEST).contains(&value.len()) {
            return;
        }
        if value.contains("://") || value.starts_with('/') {
            self.learn_query(value);
        } else if !self.says_nothing(value) {
            let (kind, shape) = match pattern::looks(value) {
                Some(Looks::Email) => ("email", Shape::Typed),
                Some(Looks::Address) => ("address", Shape::Typed),
                _ => (kind, Shape::Hidden),
            };
            self.secret(kind, value, shape);
        }
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
    let mut rest = script;
    while let Some(at) = rest.find(QUOTES) {
        let quote = rest.as_bytes()[at];
        rest = &rest[at + 1..];
        let mut escaped = false;
        let end = rest.bytes().position(|byte| {
            let is_end = !escaped && (byte == quote || byte == b'\n' && quote != b'`');
            escaped = !escaped && byte == b'\\';
            is_end
        });
        let end = end.unwrap_or(rest.len());
        // An apostrophe in a remark opens nothing: what follows it is looked at again.
        let is_closed = rest.as_bytes().get(end) == Some(&quote);
        if is_closed {
            let literal = &rest[..end];
            if depth < DEPTH && literal.contains(QUOTES) {
                let inner = unescape_all(literal).unwrap_or_else(|| literal.to_owned());
                found.extend(literals(&inner, depth + 1));
            }
            found.push(literal.to_owned());
            rest = &rest[end + 1..];
        }
    }
    found
}

const QUOTES: [char; 3] = ['"', '\'', '`'];
/// How deep literals are looked for in literals.
const DEPTH: usize = 3;
/// How many values of a page are learned; the words of the others are remembered as heard.
const LEARNED_MAX: usize = 1_000;
/// Characters of the shortest value that is learned, and of the longest.
const LEARNED_SHORTEST: usize = 8;
const LEARNED_LONGEST: usize = 2_048;

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
            format!("<form><select><option value=a><option value={secret}></select></form>"),
        ] {
            let mut redactor = learned(&page);
            let label = said_again(&mut redactor, secret);
            assert!(label.starts_with("REDACTED-"), "{page}: {label}");
        }
        let kept = said_again(&mut Redactor::default(), secret);
        assert_eq!(kept, secret, "where no page said it");
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
