//! Cookies: names as far as they are known, values as labels, those of statistics not at all.

use crate::oauth::cookies::{self, CookieClass, Known};
use crate::oauth::registry::HeaderClass;
use crate::redact::Redactor;
use crate::redact::label::{self, Piece, pieces};
use crate::redact::ledger::Shape;
use crate::redact::vocabulary::is_plain;

impl Redactor {
    /// The `Cookie` field: what may be said of each.
    pub(super) fn cookies(&mut self, value: &str) -> String {
        let cookie = |part: &str| {
            let cookie = part.trim_start();
            let lead = &part[..part.len() - cookie.len()];
            let cookie = match cookie.split_once('=') {
                Some((name, value)) => self.cookie(name, value),
                None if cookie.is_empty() => String::new(),
                None => self.secret("cookie", cookie, Shape::Declared),
            };
            format!("{lead}{cookie}")
        };
        let kept = value.split(';').filter(|part| !is_left_out(part));
        let written: Vec<String> = kept.map(cookie).collect();
        let written = written.join(";");
        // Where the first is left out, the blank before the next is none between two.
        if is_left_out(value) {
            written.trim_start().to_owned()
        } else {
            written
        }
    }

    /// A `Set-Cookie` field.
    pub(super) fn set_cookie(&mut self, value: &str) -> String {
        let mut attributes = value.split(';');
        let first = attributes.next().unwrap_or_default();
        let mut out = match first.split_once('=') {
            Some((name, value)) => self.cookie(name, value),
            None => self.secret("cookie", first, Shape::Declared),
        };
        for attribute in attributes {
            out.push(';');
            let name = attribute
                .split('=')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase();
            let kept = name.is_empty() || ATTRIBUTES.contains(&name.as_str());
            out.push_str(&if kept {
                self.attribute(&name, attribute)
            } else {
                self.secret("cookie", attribute, Shape::Hidden)
            });
        }
        out
    }

    fn attribute(&mut self, name: &str, attribute: &str) -> String {
        if name == "max-age" {
            self.kept(attribute)
        } else {
            self.free_text(attribute)
        }
    }

    fn cookie(&mut self, name: &str, value: &str) -> String {
        let known = cookies::known(name);
        let written = self.cookie_name(name, known);
        let value = match known.map(|known| known.class) {
            _ if value.is_empty() => String::new(),
            Some(CookieClass::Keep) => self.kept(value),
            Some(CookieClass::Pseudonym) => self.secret("cookie", value, Shape::Typed),
            _ => self.secret("cookie", value, Shape::Declared),
        };
        format!("{written}={value}")
    }

    /// A cookie's name: what is known of it, and a label where it was made up for somebody.
    fn cookie_name(&mut self, name: &str, known: Option<Known<'_>>) -> String {
        let Some(Known {
            before,
            made,
            after,
            ..
        }) = known
        else {
            return self.name(name);
        };
        let literal = |text: &str| Piece::Literal(text.to_owned());
        let made = match made {
            "" => String::new(),
            made => self.name(made),
        };
        let written: Vec<Piece> = std::iter::once(literal(before))
            .chain(pieces(&made))
            .chain([literal(after)])
            .collect();
        label::join(&written)
    }

    /// Whether nothing is written of a field, for it has none but cookies that are left out; what
    /// those say is noted all the same.
    pub(super) fn leaves_out(&mut self, class: Option<HeaderClass>, value: &str) -> bool {
        let mut cookies: Vec<&str> = value.split(';').collect();
        match class {
            Some(HeaderClass::Cookie) => {}
            Some(HeaderClass::SetCookie) => cookies.truncate(1),
            _ => return false,
        }
        let left_out = cookies.iter().filter(|cookie| is_left_out(cookie));
        for cookie in left_out.clone() {
            let (_, value) = cookie.split_once('=').unwrap_or_default();
            if !is_plain(value) {
                self.ledger.hear(value);
            }
        }
        left_out.count() == cookies.len()
    }
}

fn is_left_out(cookie: &str) -> bool {
    let (name, _) = cookie.trim_start().split_once('=').unwrap_or_default();
    cookies::known(name).is_some_and(|known| known.class == CookieClass::Drop)
}

const ATTRIBUTES: &[&str] = &[
    "domain",
    "expires",
    "httponly",
    "max-age",
    "partitioned",
    "path",
    "priority",
    "samesite",
    "secure",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_written_as_far_as_its_name_is_known() {
        for (field, expected) in [
            ("JSESSIONID=0a1b2c3d4e5f", "JSESSIONID=REDACTED-cookie-1"),
            (
                "theme=dark; sid=k3v9x2m7",
                "theme=dark; sid=REDACTED-cookie-1",
            ),
            ("logged_in=k3v9x2m7q8w4", "logged_in=REDACTED-word-1"),
            ("k3v9x2m7q8w4e6r1=1", "REDACTED-name-1=REDACTED-cookie-1"),
            (
                ".AspNetCore.Correlation.k3v9x2m7=N",
                ".AspNetCore.Correlation.REDACTED-name-1=REDACTED-cookie-1",
            ),
            (
                "_k3v9x2m7_session=k3v9x2m7q8w4",
                "_REDACTED-name-1--end--_session=REDACTED-cookie-1",
            ),
            ("_ga=GA1.2.3.4; sid=k3v9x2m7", "sid=REDACTED-cookie-1"),
            ("sid=k3v9x2m7; _ga=GA1.2.3.4", "sid=REDACTED-cookie-1"),
        ] {
            assert_eq!(Redactor::default().cookies(field), expected);
        }
    }

    #[test]
    fn attributes_are_kept_as_far_as_they_are_known() {
        for (field, expected) in [
            (
                "sid=k3v9x2m7; Path=/; Secure; Max-Age=60; SameSite=Lax",
                "sid=REDACTED-cookie-1; Path=/; Secure; Max-Age=60; SameSite=Lax",
            ),
            (
                "sid=k3v9x2m7; Path=/k3v9x2m7q8w4e6r1",
                "sid=REDACTED-cookie-1; Path=/REDACTED-word-1",
            ),
            (
                "sid=k3v9x2m7; owner=jane",
                "sid=REDACTED-cookie-1;REDACTED-cookie-2",
            ),
        ] {
            assert_eq!(Redactor::default().set_cookie(field), expected);
        }
    }

    #[test]
    fn a_field_of_nothing_but_statistics_is_left_out_and_what_it_says_is_known() {
        let mut redactor = Redactor::default();
        let field = Some(HeaderClass::Cookie);
        assert!(!redactor.leaves_out(field, "_ga=GA1.2.3.4; sid=x"));
        assert!(redactor.leaves_out(field, "_ga=GA1.2.3.4; _gid=k3v9x2m7"));
        let set = Some(HeaderClass::SetCookie);
        assert!(redactor.leaves_out(set, "_gid=k3v9x2m7; Path=/"));
        assert!(!redactor.leaves_out(Some(HeaderClass::Keep), "_ga=GA1.2.3.4"));
        assert_eq!(redactor.free_text("k3v9x2m7"), "REDACTED-value-1");
    }
}
