//! Where a session runs in a mode that records: on tape, or with a real server.
//!
//! What was made here is worth nothing to a real server, and what a real server gave is on no tape.
//! So a session that began on one side ends there.

use std::collections::HashSet;

use zeroize::Zeroize as _;

use crate::model::{Heard, Said, percent_decode};
use crate::oauth::facts::{basic_token, decode_basic};
use crate::redact::is_suspicious;

/// What real servers gave in this run. It holds secrets: no `Debug`.
#[derive(Default)]
pub(super) struct Given(HashSet<String>);

impl Given {
    /// Takes in what a real server answered.
    pub(super) fn hear(&mut self, said: &Said, heard: &Heard) {
        let asked = said_of(said, true) + &said.url.path;
        let mut answered = String::new();
        for field in &heard.headers {
            let is_of_session = ["location", "set-cookie", "dpop-nonce"];
            if is_of_session.contains(&field.name.to_ascii_lowercase().as_str()) {
                let value = String::from_utf8_lossy(&field.value);
                answered.push_str(&percent_decode(&value));
                answered.push('\n');
            }
        }
        answered.push_str(&String::from_utf8_lossy(&heard.body.bytes));
        let values = answered.split(|c: char| !is_of_token(c));
        let values = values.filter(|value| value.len() >= SHORTEST && is_given(value));
        // What came back is what the client said.
        let given = values.filter(|value| !asked.contains(value));
        self.0.extend(given.map(str::to_owned));
        answered.zeroize();
    }

    /// Whether one of them stands in a request.
    pub(super) fn is_in(&self, said: &Said) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let asked = said_of(said, true);
        let values = asked.split(|c: char| !is_of_token(c));
        values.into_iter().any(|value| self.0.contains(value))
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        self.0.drain().for_each(|mut value| value.zeroize());
    }
}

/// The values that a request carries, as they are and decoded. Its path is not among them: a server
/// may name itself there.
pub(super) fn said_of(said: &Said, with_cookies: bool) -> String {
    let query = said.url.query.clone().unwrap_or_default();
    let body = String::from_utf8_lossy(&said.body.bytes).into_owned();
    let mut texts = vec![percent_decode(&query), percent_decode(&body), query, body];
    texts.extend(basic_token(said).and_then(decode_basic));
    for name in ["authorization", "dpop"] {
        texts.extend(said.headers.all(name).map(str::to_owned));
    }
    if with_cookies {
        texts.extend(said.headers.all("cookie").map(str::to_owned));
    }
    texts.join("\n")
}

/// Whether it is no word, and no path.
fn is_given(value: &str) -> bool {
    let has = |is: fn(&char) -> bool| value.chars().any(|c| is(&c));
    let is_mixed = has(char::is_ascii_digit) && has(char::is_ascii_alphabetic);
    !value.starts_with('/') && (is_mixed || is_suspicious(value))
}

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~+/".contains(c)
}

/// A shorter one is a word by chance.
const SHORTEST: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::flows::tests::{heard, said};

    #[test]
    fn what_a_server_gave_is_known_where_it_is_sent_back() {
        let asked = said(
            "GET",
            "https://as.example/authorize?client_id=shop&state=Zx8Qw3Er5Ty7Ui9Op1As2Df4",
            &[],
            "",
        );
        let location =
            "https://x.example/cb?code=k3v9x2m7%2Fq8w4e6r1t5y0u2i8&state=Zx8Qw3Er5Ty7Ui9Op1As2Df4";
        let mut given = Given::default();
        given.hear(
            &asked,
            &heard(
                302,
                &[
                    ("Location", location),
                    ("Set-Cookie", "sid=9f8e7d6c5b4a39281706f5e4d3c2b1a0; Path=/"),
                ],
                r#"{"tokens":[{"access_token":"Gh6Jk8Lz0Xc2Vb4NmQ1w","token_type":"Bearer"}]}"#,
            ),
        );
        let bearer = ("Authorization", "Bearer Gh6Jk8Lz0Xc2Vb4NmQ1w");
        let cookie = ("Cookie", "sid=9f8e7d6c5b4a39281706f5e4d3c2b1a0");
        for (name, headers, body, expected) in [
            (
                "the code",
                vec![],
                "grant_type=a&code=k3v9x2m7%2Fq8w4e6r1t5y0u2i8",
                true,
            ),
            ("the token", vec![bearer], "", true),
            ("the cookie", vec![cookie], "", true),
            (
                "its own state",
                vec![],
                "state=Zx8Qw3Er5Ty7Ui9Op1As2Df4",
                false,
            ),
            ("words", vec![], "token_type=Bearer&client_id=shop", false),
            (
                "another code",
                vec![],
                "code=a3v9x2m7%2Fq8w4e6r1t5y0u2i8",
                false,
            ),
        ] {
            let request = said("POST", "https://as.example/token", &headers, body);
            assert_eq!(given.is_in(&request), expected, "{name}");
        }
    }
}
