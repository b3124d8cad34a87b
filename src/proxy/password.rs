//! The password that a proxy asks its clients for.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::model::is_unreserved;
use crate::proxy::Error;

/// What clients of the proxy must know; it is never shown. The user's name is theirs to choose.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Keeps a password.
    ///
    /// # Errors
    ///
    /// Where a URL cannot carry it as it is, which is how clients are given it.
    pub fn new(text: String) -> Result<Self, Error> {
        let text = Zeroizing::new(text);
        if text.is_empty() || !text.bytes().all(is_unreserved) {
            return Err(Error::Password);
        }
        Ok(Self(text))
    }

    /// The user and the password, as they stand before the host of a URL.
    pub fn userinfo(&self) -> String {
        format!("{OURS}:{}", self.0.as_str())
    }

    /// Whether it is too short for a door that strangers can knock at.
    pub(super) fn is_short(&self) -> bool {
        self.0.len() < 8
    }

    /// Whether these are credentials of the Basic scheme (RFC 7617 section 2) with this password.
    pub(super) fn is_in(&self, credentials: &str) -> bool {
        let Some(decoded) = decoded(credentials) else {
            return false;
        };
        let Some(colon) = memchr::memchr(b':', &decoded) else {
            return false;
        };
        let (given, expected) = (&decoded[colon + 1..], self.0.as_bytes());
        // In a time that does not tell how much of it was right.
        aws_lc_rs::constant_time::verify_slices_are_equal(given, expected).is_ok()
    }
}

/// Whom Basic credentials (RFC 7617 section 2) are of; `None` where that is nobody, or the name that
/// our own programs are given.
pub(super) fn user(credentials: &str) -> Option<Arc<str>> {
    let decoded = decoded(credentials)?;
    let name = std::str::from_utf8(decoded.split(|byte| *byte == b':').next()?).ok()?;
    let is_told = !name.is_empty() && name != OURS;
    is_told.then(|| Arc::from(name))
}

fn decoded(credentials: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (scheme, token) = credentials.split_once(' ')?;
    let decoded = scheme
        .eq_ignore_ascii_case("basic")
        .then(|| STANDARD.decode(token.trim()))?;
    decoded.ok().map(Zeroizing::new)
}

const OURS: &str = "authtape";

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_asked_for_and_the_user_is_not() {
        let password = Password::new("hunter-2".to_owned()).expect("a password");
        for (credentials, expected) in [
            (
                format!("Basic {}", STANDARD.encode("authtape:hunter-2")),
                true,
            ),
            (
                format!("basic  {}", STANDARD.encode("anybody:hunter-2")),
                true,
            ),
            (format!("Basic {}", STANDARD.encode(":hunter-2")), true),
            (format!("Basic {}", STANDARD.encode("a:hunter-3")), false),
            (format!("Basic {}", STANDARD.encode("a:hunter-2x")), false),
            (format!("Basic {}", STANDARD.encode("a:")), false),
            (format!("Basic {}", STANDARD.encode("hunter-2")), false),
            (format!("Bearer {}", STANDARD.encode("a:hunter-2")), false),
            ("Basic a:hunter-2".to_owned(), false),
            ("hunter-2".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(password.is_in(&credentials), expected, "{credentials}");
        }
        assert_eq!(format!("{password:?}"), "Password");
    }

    #[test]
    fn credentials_name_a_user_where_they_can_be_read() {
        for (credentials, expected) in [
            (format!("Basic {}", STANDARD.encode("ada:")), Some("ada")),
            (format!("basic {}", STANDARD.encode("ada:a:b")), Some("ada")),
            (format!("Basic {}", STANDARD.encode("ada")), Some("ada")),
            (format!("Basic {}", STANDARD.encode("authtape:x")), None),
            (format!("Basic {}", STANDARD.encode(":x")), None),
            (format!("Basic {}", STANDARD.encode(b"\xff:x")), None),
            (format!("Bearer {}", STANDARD.encode("ada:x")), None),
            ("Basic ada:x".to_owned(), None),
        ] {
            assert_eq!(user(&credentials).as_deref(), expected, "{credentials}");
        }
    }

    #[test]
    fn a_password_that_a_url_cannot_carry_is_refused() {
        for text in ["", "a b", "a@b", "a:b", "a/b", "a%b", "caf\u{e9}", "a'b"] {
            let refused = Password::new(text.to_owned()).expect_err(text);
            assert!(text.is_empty() || !refused.to_string().contains(text));
        }
    }
}
