//! Header fields by their class, credentials among them.

use std::cell::RefCell;

use serde_json::Value;

use crate::model::{Header, Headers, Said, Url, percent_decode};
use crate::oauth::credentials::{basic_token, decode_basic};
use crate::oauth::registry::{self, HeaderClass, Place};
use crate::oauth::{Step, jwt, name};
use crate::redact::Redactor;
use crate::redact::entry::Named;
use crate::redact::interaction::BasicCredentials;
use crate::redact::json;
use crate::redact::label::escape;
use crate::redact::ledger::{Fresh, Shape};
use crate::redact::pattern;
use crate::redact::shape::Declaration;
use crate::redact::values::is_as_it_stands;

impl Redactor {
    /// The fields that may be written, in their order.
    pub(super) fn headers(&mut self, step: Step, headers: &Headers) -> Vec<Named<String>> {
        headers
            .iter()
            .filter_map(|header| self.header(step, header))
            .collect()
    }

    /// The halves of Basic credentials: a client's at the endpoints that authenticate clients,
    /// somebody's elsewhere.
    pub(super) fn basic(&mut self, step: Step, said: &Said) -> Option<BasicCredentials> {
        let decoded = decode_basic(basic_token(said)?)?;
        let (user, password) = match decoded.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (decoded.as_str(), None),
        };
        let is_client = step.authenticates_client();
        let password_name = if is_client {
            name::CLIENT_SECRET
        } else {
            name::PASSWORD
        };
        // A secret in the place of the user is a defect, and still a secret.
        let is_swapped =
            password.is_some_and(|password| self.is_client(password) && !self.is_client(user));
        let user = if is_swapped || self.ledger.knows(user) {
            self.secret(name::CLIENT_SECRET, user, Shape::Declared)
        } else if is_client {
            self.basic_client(user, password)
        } else {
            self.value(Place::TokenRequest, name::USERNAME, user)
        };
        let password =
            password.map(|password| self.value(Place::TokenRequest, password_name, password));
        Some(BasicCredentials { user, password })
    }

    /// A client's identifier in Basic credentials, which is encoded there as in a form (RFC 6749
    /// section 2.3.1): what is kept of it in a form is kept here, as it is spelled. What stands without
    /// a password may be one.
    pub(super) fn basic_client(&mut self, user: &str, password: Option<&str>) -> String {
        let plain = percent_decode(&user.replace('+', " "));
        let is_encoded = plain != user && password.is_some() && !self.is_public();
        if is_encoded && is_as_it_stands(&plain) && !self.may_be_secret(&plain) {
            escape(user)
        } else {
            self.value(Place::TokenRequest, name::CLIENT_ID, user)
        }
    }

    /// What may be declared of a secret that is new, a JWT's readable parts included.
    pub(super) fn declared(&mut self, fresh: &Fresh, clock: i64) -> Option<Named<Declaration>> {
        let mut declaration = fresh.declaration.clone()?;
        if let Some(jwt) = jwt::parse(&fresh.value) {
            declaration.jwt_header = Some(self.jwt_part(&Value::Object(jwt.header), clock));
            declaration.jwt_claims = Some(self.jwt_part(&Value::Object(jwt.claims), clock));
        } else if let Some(header) = jwt::encrypted(&fresh.value) {
            declaration.jwt_header = Some(self.jwt_part(&Value::Object(header), clock));
        }
        Some(Named::new(fresh.label.key(), declaration))
    }

    fn header(&mut self, step: Step, header: &Header) -> Option<Named<String>> {
        let class = registry::header_class(&header.name);
        if class == Some(HeaderClass::Drop) {
            return None;
        }
        let value = match std::str::from_utf8(&header.value) {
            Ok(value) if self.leaves_out(class, value) => return None,
            Ok(value) => self.header_value(step, &header.name, value, class),
            Err(_) => self.secret(
                "header",
                &String::from_utf8_lossy(&header.value),
                Shape::Hidden,
            ),
        };
        Some(Named::new(self.field_name(&header.name), value))
    }

    pub(super) fn header_value(
        &mut self,
        step: Step,
        name: &str,
        value: &str,
        class: Option<HeaderClass>,
    ) -> String {
        if value.is_empty() {
            return String::new();
        }
        if let Some(text) = self.public_field(name, value, class) {
            return text;
        }
        match class {
            Some(HeaderClass::Correlation)
                if is_correlation_id(value) && !self.may_be_secret(value) =>
            {
                escape(value)
            }
            Some(HeaderClass::Host) => match Url::parse(&format!("http://{value}")) {
                Some(url) => self.authority(&url),
                None => self.free_text(value),
            },
            Some(HeaderClass::Keep | HeaderClass::Correlation)
                if !name.eq_ignore_ascii_case("www-authenticate") =>
            {
                self.free_text(value)
            }
            Some(HeaderClass::Keep) => self.sentence(value),
            Some(HeaderClass::Measure) => self.kept(value),
            Some(HeaderClass::Url) => self.url(value),
            Some(HeaderClass::Authorization) => self.authorization(step, value),
            Some(HeaderClass::Cookie) => self.cookies(value),
            Some(HeaderClass::SetCookie) => self.set_cookie(value),
            Some(HeaderClass::ContentType) => self.content_type(value),
            Some(HeaderClass::Personal) => self.secret("address", value, Shape::Typed),
            Some(HeaderClass::Secret) => self.secret(name, value, Shape::Declared),
            _ => self.secret("header", value, Shape::Declared),
        }
    }

    fn authorization(&mut self, step: Step, value: &str) -> String {
        let Some((scheme, credentials)) = value.split_once(' ') else {
            return self.secret("header", value, Shape::Declared);
        };
        let known = [
            "basic",
            "bearer",
            "dpop",
            "digest",
            "negotiate",
            "token",
            "oauth",
            "apikey",
            "gnap",
            "mac",
        ];
        let lower = scheme.to_ascii_lowercase();
        if !known.contains(&lower.trim_end_matches(':')) {
            return self.secret("header", value, Shape::Declared);
        }
        let (kind, shape) = match lower.as_str() {
            "basic" => ("basic", Shape::Hidden),
            "bearer" | "dpop" if step == Step::Registration => {
                ("initial_access_token", Shape::Declared)
            }
            "bearer" | "dpop" => (name::ACCESS_TOKEN, Shape::Declared),
            _ => ("header", Shape::Declared),
        };
        format!("{scheme} {}", self.secret(kind, credentials, shape))
    }

    fn content_type(&mut self, value: &str) -> String {
        let parameter = |parameter: &str| match parameter.split_once('=') {
            Some((name, _)) if name.trim().eq_ignore_ascii_case("boundary") => {
                format!("{name}={BOUNDARY}")
            }
            _ => self.free_text(parameter),
        };
        value
            .split(';')
            .map(parameter)
            .collect::<Vec<_>>()
            .join(";")
    }

    fn jwt_part(&mut self, part: &Value, clock: i64) -> String {
        let text = part.to_string();
        let this = RefCell::new(self);
        json::rewrite(
            &text,
            |scalar| {
                let mut this = this.borrow_mut();
                let is_time = TIMES.contains(&scalar.key);
                if let (true, Ok(time)) = (is_time, scalar.value.parse::<i64>()) {
                    return Some(format!("{:+}", time - clock));
                }
                if !scalar.is_string {
                    return matches!(scalar.value, "true" | "false" | "null")
                        .then_some(None)
                        .unwrap_or_else(|| this.number(Place::Jwt, scalar.key, scalar.value));
                }
                let value = this.value(Place::Jwt, scalar.key, scalar.value);
                (value != scalar.value).then_some(value)
            },
            |key| this.borrow_mut().member(key),
        )
    }
}

/// A request's identifier in one of the forms that are no token's: a UUID, a ULID, or hexadecimal
/// digits with what a few vendors and W3C Trace Context put beside them, or behind `req-`.
pub(super) fn is_correlation_id(value: &str) -> bool {
    let behind = ["req-", "req_"]
        .iter()
        .find_map(|prefix| value.strip_prefix(prefix));
    let value = behind.unwrap_or(value);
    let all = |part: &str, fits: fn(&u8) -> bool| part.bytes().all(|byte| fits(&byte));
    let is_id = |part: &&str| {
        (ID_MIN..=ID_MAX).contains(&part.len()) && all(part, u8::is_ascii_hexdigit)
            || part.len() == ULID
                && all(part, |byte| {
                    byte.is_ascii_uppercase() || byte.is_ascii_digit()
                })
    };
    let is_beside = |part: &str| {
        part.len() <= BESIDE_MAX
            && (all(part, u8::is_ascii_digit) || ["Root", "Self", "o"].contains(&part))
            || part.len() == AIRPORT && all(part, u8::is_ascii_uppercase) && value.ends_with(part)
    };
    let parts: Vec<&str> = value.split(['-', ';', ':', '=', '/']).collect();
    let ids = parts.iter().copied().filter(|part| is_id(part)).count();
    pattern::is_uuid(value)
        || (1..=IDS_MAX).contains(&ids) && parts.iter().all(|part| is_id(part) || is_beside(part))
}

/// The boundary that cassettes show, since the real one differs on every run.
pub(crate) const BOUNDARY: &str = "authtape";

/// Digits of the shortest identifier of a request.
const ID_MIN: usize = 8;
/// And of the longest, a SHA-1.
const ID_MAX: usize = 40;
/// Characters of a ULID.
const ULID: usize = 26;
/// How many identifiers there are in one: of a trace, a span, and the span above it.
const IDS_MAX: usize = 3;
/// Versions, flags and the like that stand beside them are not longer.
const BESIDE_MAX: usize = 4;
/// A ray ends with the airport where it was answered.
const AIRPORT: usize = 3;

/// Claims that are points in time (RFC 7519 section 4.1).
const TIMES: &[&str] = &["auth_time", "exp", "iat", "nbf"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_list_has_is_replaced_wherever_names_stand() {
        let mut redactor = Redactor::default();
        redactor.secret("code", "k3v9x2m7q8w4e6r1", Shape::Declared);
        assert_eq!(redactor.field_name("K3V9x2m7q8w4e6r1"), "REDACTED-name-1");
        let claims = serde_json::json!({
            "email_verified": true,
            "https://idp.example/roles": true,
            "jane@corp.example": true,
            "members": {"k3v9x2m7q8w4e6r1": true},
        });
        assert_eq!(
            redactor.jwt_part(&claims, 0),
            r#"{"email_verified":true,"https://idp.example/roles":true,"REDACTED-name-2":true,"members":{"REDACTED-code-1":true}}"#
        );
    }

    #[test]
    fn identifiers_of_requests_are_told_from_tokens() {
        for (value, expected) in [
            ("6f0c1b0e-2d55-4a0a-9a55-2f9c0c6f2f10", true),
            (
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                true,
            ),
            (
                "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1-05e3ac9a4f6e3b90",
                true,
            ),
            ("8a1b2c3d4e5f6a7b-LHR", true),
            ("Root=1-67891233-abcdef012345678912345678", true),
            ("105445aa7843bc8bf206b12000100000/1;o=1", true),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", true),
            ("req-00112233", true),
            ("req_6f0c1b0e-2d55-4a0a-9a55-2f9c0c6f2f10", true),
            ("req-4bf92f3577b34da6a3ce929d0e0e4736", true),
            ("req-", false),
            ("req_Cn7kQ9zR2vXpL0aMtB5eWyH3uJ8s", false),
            ("req-req-00112233", false),
            ("sid-00112233", false),
            ("Cn7kQ9zR2vXpL0aMtB5eWyH3uJ8s", false),
            ("WDJB-MJHT", false),
            ("=43=6E=37=6B", false),
            ("2001:2:0:abcd:1234:5678:9abc:def0", false),
            (
                "6f0c1b0e-2d55-4a0a-9a55-2f9c0c6f2f10.6f0c1b0e-2d55-4a0a-9a55-2f9c0c6f2f11",
                false,
            ),
        ] {
            assert_eq!(is_correlation_id(value), expected, "{value}");
        }
    }
}
