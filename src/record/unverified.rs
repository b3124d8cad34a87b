//! JWTs whose signature nobody can verify yet: clients ask for the keys when they have a token.

use zeroize::Zeroizing;

use crate::oauth::flows::Flows;
use crate::oauth::tokens::{Checked, Signature, Token, Verdict};

/// The JWTs that no key or secret is known to have signed, as far as there is room. They are raw: no
/// `Debug`.
#[derive(Default)]
pub(super) struct Unverified {
    tokens: Vec<Waiting>,
    bytes: usize,
}

struct Waiting {
    id: u64,
    token: Token,
    text: Zeroizing<String>,
    told: Option<Signature>,
}

/// What is to be told of a JWT in the place of what was.
pub(super) struct Retold {
    /// The interaction that brought it.
    pub(super) id: u64,
    /// Where it stands there.
    pub(super) token: Token,
    /// What is wrong with its signature.
    pub(super) wrong: Option<Signature>,
}

impl Unverified {
    /// Remembers a JWT of an interaction until it is verified.
    pub(super) fn take_in(&mut self, id: u64, checked: Checked) {
        let Checked {
            token,
            text,
            verdict,
        } = checked;
        let text = Zeroizing::new(text);
        if verdict == Verdict::Right || self.bytes + text.len() > BYTES_MAX {
            return;
        }
        self.bytes += text.len();
        self.tokens.push(Waiting {
            id,
            token,
            text,
            told: verdict.wrong(),
        });
    }

    /// Looks at all of them again, and lets go of those that are verified.
    pub(super) fn look_again(&mut self, flows: &Flows) -> Vec<Retold> {
        let mut retold = Vec::new();
        self.tokens.retain_mut(|waiting| {
            let verdict = flows.signature(waiting.token, &waiting.text);
            let wrong = verdict.wrong();
            if waiting.told != wrong {
                waiting.told = wrong;
                retold.push(Retold {
                    id: waiting.id,
                    token: waiting.token,
                    wrong,
                });
            }
            let is_kept = verdict != Verdict::Right;
            if !is_kept {
                self.bytes -= waiting.text.len();
            }
            is_kept
        });
        retold
    }
}

/// How many bytes of JWTs are remembered.
const BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::oauth::flows::tests::{heard, said};
    use crate::record::tests::exchange;
    use crate::record::{Options, Tape};

    const SECRET: &str = "Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2Vb4N";

    /// A JWT for the client `shop`, by its secret.
    fn id_token(claim: &str) -> String {
        let claims = format!("{{\"aud\":\"shop\",\"x\":\"{claim}\"}}");
        let [header, claims] =
            [r#"{"alg":"HS256"}"#, &claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        let signed = format!("{header}.{claims}");
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let signature = hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn redeem(tape: &mut Tape, id: u64, secret: &str, token: &str) {
        let form = format!("grant_type=client_credentials&client_id=shop{secret}");
        let asked = said("POST", "https://as.example/token", &[], &form);
        let json = [("Content-Type", "application/json")];
        let answer = format!("{{\"access_token\":\"at\",\"id_token\":\"{token}\"}}");
        tape.record(exchange(id, asked, heard(200, &json, &answer)));
    }

    #[test]
    fn what_is_verified_is_let_go() {
        let mut tape = Tape::new(Options::default(), "2026-11-23T10:02:11Z".to_owned());
        redeem(&mut tape, 1, "", &id_token("first"));
        assert_eq!(tape.unverified.tokens.len(), 1);
        redeem(
            &mut tape,
            2,
            &format!("&client_secret={SECRET}"),
            &id_token("second"),
        );
        assert_eq!(tape.unverified.tokens.len(), 0);
        assert_eq!(tape.unverified.bytes, 0);
    }

    #[test]
    fn no_more_bytes_are_remembered_than_there_is_room_for() {
        let mut unverified = Unverified::default();
        let text = id_token(&"x".repeat(BYTES_MAX / 4));
        for id in 1..9 {
            let checked = Checked {
                token: Token::Id,
                text: text.clone(),
                verdict: Flows::default().signature(Token::Id, &text),
            };
            unverified.take_in(id, checked);
        }
        assert_eq!(unverified.tokens.len(), 2);
    }

    #[test]
    fn an_interaction_that_does_not_read_back_is_withheld_where_more_is_told_of_it() {
        let mut tape = Tape::new(Options::default(), "2026-11-23T10:02:11Z".to_owned());
        redeem(&mut tape, 1, "", &format!("{}x", id_token("first")));
        tape.entries[0].text.push_str("broken");
        redeem(
            &mut tape,
            2,
            &format!("&client_secret={SECRET}"),
            &id_token("second"),
        );
        let withheld: Vec<_> = tape.withheld().iter().map(|one| one.id).collect();
        assert_eq!(withheld, [1]);
    }
}
