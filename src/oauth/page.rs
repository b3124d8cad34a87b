//! An HTML page as far as a login needs it: its forms, what it asks for, and what it says.
//!
//! A page is tokenized as browsers do (HTML section 13.2.5), and no tree is built: a field belongs
//! to the form that was opened last.

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};

use crate::model::{Params, words};
use crate::oauth::name;

words! {
    /// How a form is sent (HTML section 4.10.19.6).
    Method {
        /// In the query of its action.
        Get = "get",
        /// As a body.
        Post = "post",
    }
}

words! {
    /// What a field of a form is.
    FieldKind {
        /// A box that is ticked.
        Checkbox = "checkbox",
        /// An address of mail.
        Email = "email",
        /// A file that is sent.
        File = "file",
        /// What nobody sees: what carries a login on.
        Hidden = "hidden",
        /// A number.
        Number = "number",
        /// A password.
        Password = "password",
        /// One of several.
        Radio = "radio",
        /// One of a list.
        Select = "select",
        /// A button that sends the form.
        Submit = "submit",
        /// A telephone number.
        Tel = "tel",
        /// A line of text, and whatever else browsers take for one.
        Text = "text",
        /// Several lines of text.
        Textarea = "textarea",
    }
}

/// A page. It holds secrets: no `Debug`.
#[derive(Default)]
pub struct Page {
    /// Its forms, in their order.
    pub forms: Vec<Form>,
    /// Where its links, images and scripts lead.
    pub addresses: Vec<String>,
    /// Inline scripts, and what elements do when something happens.
    pub scripts: Vec<String>,
    /// Values of fields outside any form, of options that are not chosen, and of whatever else
    /// elements say of themselves.
    pub values: Vec<String>,
    /// The text that a person reads, in lower case.
    shown: String,
    asks_password: bool,
}

/// A form.
pub struct Form {
    /// How it is sent.
    pub method: Method,
    /// Where to, as it is written; empty for the page's own address.
    pub action: String,
    /// Its fields, in their order.
    pub fields: Vec<Field>,
    /// Whether a script sends it at once.
    pub submits_itself: bool,
}

/// A field of a form.
pub struct Field {
    /// Its name, by which it is sent.
    pub name: String,
    /// What it is.
    pub kind: FieldKind,
    /// What is in it from the start.
    pub value: Option<String>,
}

impl Form {
    /// Whether this is an authorization response on its way (OAuth 2.0 Form Post Response Mode), or
    /// the answer of a SAML server: nobody fills anything in, and a script sends it.
    pub fn is_answer(&self) -> bool {
        let names = [
            name::ACCESS_TOKEN,
            name::CODE,
            name::ERROR,
            name::ID_TOKEN,
            name::RESPONSE,
            name::SAML_RESPONSE,
        ];
        self.submits_itself
            && self
                .fields
                .iter()
                .any(|field| names.contains(&field.name.as_str()))
    }

    /// What it sends where nobody fills anything in.
    pub fn params(&self) -> Params {
        let fields = self.fields.iter();
        fields
            .map(|field| (field.name.clone(), field.value.clone().unwrap_or_default()))
            .collect()
    }

    fn is_unseen(&self) -> bool {
        let unseen = [FieldKind::Hidden, FieldKind::Submit];
        self.fields.iter().all(|field| unseen.contains(&field.kind))
    }
}

impl Page {
    /// Reads a page.
    pub fn read(text: &str) -> Self {
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(true);
        let mut reader = Reader::default();
        for Ok(token) in Tokenizer::new_with_emitter(text, emitter) {
            reader.take(&token);
        }
        let mut page = reader.page;
        let sends = page.scripts.iter().any(|script| {
            let calls = [".submit(", ".requestSubmit(", "submit.call("];
            calls.iter().any(|call| script.contains(call))
        });
        for form in &mut page.forms {
            form.submits_itself = sends && !form.fields.is_empty() && form.is_unseen();
        }
        page
    }

    /// The form by which an authorization response goes to the client, if there is one.
    pub fn answer(&self) -> Option<&Form> {
        self.forms.iter().find(|form| form.is_answer())
    }

    /// Whether the page asks for a password.
    pub fn asks_password(&self) -> bool {
        self.asks_password
    }

    /// Whether the page speaks of the redirect URI: not in a field or an address that carries it
    /// on, which is what every other page of a login does.
    pub fn mentions_redirect_uri(&self) -> bool {
        let speaks = || REDIRECT_WORDS.iter().any(|word| self.shown.contains(word));
        // A page on its way to the callback is often called so.
        !self.asks_password && self.answer().is_none() && speaks()
    }
}

#[derive(Default)]
struct Reader {
    page: Page,
    in_form: bool,
    inside: Inside,
}

/// In which element the text stands that comes.
#[derive(Default, PartialEq)]
enum Inside {
    #[default]
    Text,
    Script,
    Style,
    Textarea,
}

impl Reader {
    fn take(&mut self, token: &Token) {
        match token {
            Token::StartTag(tag) => self.open(tag),
            Token::EndTag(tag) => {
                self.inside = Inside::Text;
                if tag.name.as_slice() == b"form" {
                    self.in_form = false;
                }
            }
            Token::String(text) => self.text(&text_of(text)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }

    fn text(&mut self, text: &str) {
        match self.inside {
            Inside::Style => {}
            Inside::Script => self.page.scripts.push(text.to_owned()),
            Inside::Textarea => {
                let field = self
                    .in_form
                    .then(|| self.page.forms.last_mut()?.fields.last_mut());
                match field.flatten() {
                    Some(field) => field.value.get_or_insert_default().push_str(text),
                    None => self.page.values.push(text.to_owned()),
                }
            }
            Inside::Text => {
                self.page.shown.push_str(&text.to_lowercase());
                self.page.shown.push(' ');
            }
        }
    }

    fn open(&mut self, tag: &StartTag<()>) {
        self.page.shown.push(' ');
        for (name, value) in &tag.attributes {
            let said = match (tag.name.as_slice(), name.as_slice()) {
                // Read as parts of a form.
                (b"form", b"action")
                | (b"button" | b"input" | b"option" | b"select" | b"textarea", b"value") => {
                    continue;
                }
                (_, b"formaction" | b"href" | b"src") => &mut self.page.addresses,
                (_, name) if is_handler(name) => &mut self.page.scripts,
                _ => &mut self.page.values,
            };
            said.push(text_of(value));
        }
        match tag.name.as_slice() {
            b"form" => self.form(tag),
            b"input" => self.input(tag),
            b"button" => self.field(tag, FieldKind::Submit),
            b"select" => self.field(tag, FieldKind::Select),
            b"option" => self.option(tag),
            b"textarea" => {
                self.field(tag, FieldKind::Textarea);
                self.inside = Inside::Textarea;
            }
            b"script" => self.inside = Inside::Script,
            b"style" => self.inside = Inside::Style,
            _ => {}
        }
    }

    fn form(&mut self, tag: &StartTag<()>) {
        let method = attribute(tag, "method").unwrap_or_default();
        self.in_form = true;
        self.page.forms.push(Form {
            method: if method.eq_ignore_ascii_case("post") {
                Method::Post
            } else {
                Method::Get
            },
            action: attribute(tag, "action")
                .unwrap_or_default()
                .trim()
                .to_owned(),
            fields: Vec::new(),
            submits_itself: false,
        });
    }

    fn input(&mut self, tag: &StartTag<()>) {
        let kind = attribute(tag, "type")
            .unwrap_or_default()
            .to_ascii_lowercase();
        let kind = match kind.as_str() {
            "button" | "reset" => return self.page.values.extend(attribute(tag, "value")),
            "image" => FieldKind::Submit,
            kind => FieldKind::from_word(kind).unwrap_or(FieldKind::Text),
        };
        self.page.asks_password |= kind == FieldKind::Password;
        self.field(tag, kind);
    }

    fn field(&mut self, tag: &StartTag<()>, kind: FieldKind) {
        let value = attribute(tag, "value");
        let name = attribute(tag, "name").filter(|name| !name.is_empty());
        match (self.page.forms.last_mut().filter(|_| self.in_form), name) {
            (Some(form), Some(name)) => form.fields.push(Field { name, kind, value }),
            _ => self.page.values.extend(value),
        }
    }

    /// The first of a list is chosen, or the one that says so.
    fn option(&mut self, tag: &StartTag<()>) {
        let value = attribute(tag, "value");
        let list = self.page.forms.last_mut().filter(|_| self.in_form);
        let list = list.and_then(|form| form.fields.last_mut());
        let is_chosen = attribute(tag, "selected").is_some();
        match list.filter(|field| field.kind == FieldKind::Select) {
            Some(field) if is_chosen || field.value.is_none() => {
                let before = std::mem::replace(&mut field.value, value);
                self.page.values.extend(before);
            }
            _ => self.page.values.extend(value),
        }
    }
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    Some(text_of(tag.attributes.get(name.as_bytes())?))
}

/// Whether an attribute is what an element does when something happens: `onclick`.
fn is_handler(name: &[u8]) -> bool {
    name.strip_prefix(b"on")
        .is_some_and(|event| event.iter().all(u8::is_ascii_alphabetic))
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const REDIRECT_WORDS: &[&str] = &[
    "redirect_uri",
    "redirect uri",
    "redirect url",
    "reply url",
    "reply address",
    "aadsts50011",
    "callback",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_speaks_of_the_redirect_uri_where_a_person_reads_it() {
        for (page, expected) in [
            ("<p>Error 400: redirect_uri_mismatch</p>", true),
            ("the redirect URI is not registered", true),
            ("<p>AADSTS50011: the <b>reply URL</b> differs", true),
            (
                "<input type=hidden name=redirect_uri value='https://a/cb'>",
                false,
            ),
            (
                "<a href='/reset?redirect_uri=https://a/cb'>forgotten?</a>",
                false,
            ),
            (
                "<script>var redirect_uri = '<p>';</script><p>who are you?</p>",
                false,
            ),
            ("<style>.callback {}</style >hello", false),
            ("<p>redirect_uri <input type=password>", false),
            ("<script>redirect_uri", false),
            ("a < b, and redirect_uri", true),
            (
                "<title>Submitting Callback</title><body onload='document.forms[0].submit()'>\
                 <form><input type=hidden name=code value=k></form>",
                false,
            ),
            ("", false),
        ] {
            assert_eq!(Page::read(page).mentions_redirect_uri(), expected, "{page}");
        }
    }

    fn outline(page: &str) -> Vec<String> {
        let field = |field: &Field| {
            let value = field.value.as_deref().unwrap_or("-");
            format!("{} {} {value}", field.name, field.kind)
        };
        let form = |form: &Form| {
            let fields: Vec<_> = form.fields.iter().map(field).collect();
            let itself = if form.submits_itself { "!" } else { "" };
            format!(
                "{}{itself} {} [{}]",
                form.method,
                form.action,
                fields.join(", ")
            )
        };
        Page::read(page).forms.iter().map(form).collect()
    }

    #[test]
    fn the_forms_of_a_page_are_read_as_a_browser_sends_them() {
        for (page, expected) in [
            ("<p>none</p>", vec![]),
            (
                "<form method=POST action='/login?a=1&amp;b=2'><input name=user><input type=PASSWORD name=pw>\
                 <input type=hidden name=csrf value='x&quot;y'><input value=lost><button name=go value=yes>go</button></form>\
                 <input name=outside value=1>",
                vec![
                    "post /login?a=1&b=2 [user text -, pw password -, csrf hidden x\"y, go submit yes]",
                ],
            ),
            (
                "<form><select name=tenant><option value=a><option value=b selected></select>\
                 <textarea name=why>be&lt;cause</textarea><input type=date name=d><input type=reset name=r></form>",
                vec!["get  [tenant select b, why textarea be<cause, d text -]"],
            ),
            (
                "<body onload='document.forms[0].submit()'><form method=post action=https://c.example/cb>\
                 <input type=hidden name=code value=k3v9><noscript><input type=submit></noscript></form>",
                vec!["post! https://c.example/cb [code hidden k3v9]"],
            ),
            (
                "<form method=post><input type=password name=pw></form><script>f.submit()</script>",
                vec!["post  [pw password -]"],
            ),
            (
                "<!-- <form action=/commented> --><script>'<form action=/written>'</script>",
                vec![],
            ),
        ] {
            assert_eq!(outline(page), expected, "{page}");
        }
    }

    #[test]
    fn an_authorization_response_in_a_form_is_told_from_a_login() {
        let sent = "<script>document.forms[0].submit()</script>";
        for (page, expected) in [
            (
                "<form method=post><input type=hidden name=code value=k></form>",
                false,
            ),
            (
                "<form method=post><input type=hidden name=code><input name=otp></form>",
                false,
            ),
            (
                "<form method=post><input type=hidden name=csrf value=k></form>",
                false,
            ),
        ] {
            assert_eq!(Page::read(page).answer().is_some(), expected, "{page}");
        }
        for name in [
            "code",
            "id_token",
            "error",
            "SAMLResponse",
            "access_token",
            "response",
        ] {
            let page =
                format!("<form method=post><input type=hidden name={name} value=k></form>{sent}");
            assert!(Page::read(&page).answer().is_some(), "{page}");
        }
        let login = format!("<form><input type=hidden name=code><input name=otp></form>{sent}");
        assert!(Page::read(&login).answer().is_none());
    }
}
