//! Where a session runs in a mode that records: on tape, or with a real server.
//!
//! What was made here is worth nothing to a real server, and what a real server gave is on no tape.
//! So a session that began on one side ends there.

use zeroize::Zeroize as _;

use crate::model::{Heard, Remembered, Said, percent_decode};
use crate::oauth::credentials::{basic_token, decode_basic};
use crate::redact::is_suspicious;

/// What real servers gave in this run, and what the client said before any of them did.
#[derive(Default)]
pub(super) struct Given {
    given: Remembered,
    own: Remembered,
}

impl Given {
    /// Takes in what the client says: of what nobody gave it, it is the author.
    pub(super) fn say(&mut self, said: &Said) {
        let mut asked = said_of(said, true) + "\n" + &said.url.path.replace('/', "\n");
        for value in values(&asked).filter(|value| !self.given.has(value)) {
            self.own.add(value);
        }
        asked.zeroize();
    }

    /// Takes in what a real server answered.
    pub(super) fn hear(&mut self, heard: &Heard) {
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
        for value in values(&answered).filter(|value| !self.own.has(value)) {
            self.given.add(value);
        }
        answered.zeroize();
    }

    /// Whether something that was given stands in a request.
    pub(super) fn is_in(&self, said: &Said) -> bool {
        if self.given.is_empty() {
            return false;
        }
        let mut asked = said_of(said, true);
        let is_in = values(&asked).any(|value| self.given.has(value));
        asked.zeroize();
        is_in
    }
}

/// What of a text may be a value that is given.
fn values(text: &str) -> impl Iterator<Item = &str> {
    let values = text.split(|c: char| !is_of_token(c));
    values.filter(|value| value.len() >= SHORTEST && is_given(value))
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
        given.say(&asked);
        given.hear(&heard(
            302,
            &[
                ("Location", location),
                ("Set-Cookie", "sid=9f8e7d6c5b4a39281706f5e4d3c2b1a0; Path=/"),
            ],
            r#"{"tokens":[{"access_token":"Gh6Jk8Lz0Xc2Vb4NmQ1w","token_type":"Bearer"}]}"#,
        ));
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

    #[test]
    fn what_the_client_said_first_is_its_own_whoever_says_it_later() {
        let client = "client_id=8kqf3mz2x7ab";
        let url = format!("https://as.example/authorize?{client}");
        let mut given = Given::default();
        given.say(&said("GET", &url, &[], ""));
        let asked = said("GET", "https://as.example/userinfo", &[], "");
        given.say(&asked);
        given.hear(&heard(
            200,
            &[],
            r#"{"aud":"8kqf3mz2x7ab","sub":"k3v9x2m7q8w4e6r1"}"#,
        ));
        for (name, body, expected) in [
            ("its own", client, false),
            ("what was given", "sub=k3v9x2m7q8w4e6r1", true),
        ] {
            let request = said("POST", "https://as.example/token", &[], body);
            assert_eq!(given.is_in(&request), expected, "{name}");
            given.say(&request);
            assert_eq!(given.is_in(&request), expected, "{name} said again");
        }
    }
}
