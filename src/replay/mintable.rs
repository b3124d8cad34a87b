//! Whether what a cassette's answers bring can be made anew at all: told before anything is served.

use serde_json::{Map, Value};

use crate::oauth::jwt::Alg;
use crate::redact::{Declaration, Interaction, Named, cores};

/// A JWT that no key of this program can sign.
#[derive(Debug, thiserror::Error)]
#[error(
    "interaction {interaction}: {label} is signed with {alg}, for which authtape has no test key; remove jwt_header and jwt_claims of {label} to have an opaque value played"
)]
pub struct Unmintable {
    /// The interaction that declares it.
    pub interaction: u64,
    /// Its label, without `REDACTED-`.
    pub label: String,
    /// What its header says.
    pub alg: String,
}

/// Says what of these interactions is played otherwise than its client may need it.
///
/// # Errors
///
/// [`Unmintable`] where an answer has a JWT of an algorithm that is unknown here.
pub fn check<'a>(
    interactions: impl IntoIterator<Item = &'a Interaction>,
) -> Result<Vec<String>, Unmintable> {
    let mut notes = Vec::new();
    for interaction in interactions {
        for Named { name, value } in interaction.secrets() {
            let Some(header) = header(value) else {
                continue;
            };
            let alg = header.get("alg").and_then(Value::as_str);
            let alg = alg.unwrap_or_default();
            if value.jwt_claims.is_none() {
                notes.push(format!(
                    "interaction {}: {name} is encrypted; what is played for it nobody can decrypt",
                    interaction.id()
                ));
            } else if Alg::from_word(alg).is_none() && !is_sent(interaction, name) {
                return Err(Unmintable {
                    interaction: interaction.id(),
                    label: name.clone(),
                    alg: if alg.is_empty() { "no algorithm" } else { alg }.to_owned(),
                });
            }
        }
    }
    Ok(notes)
}

fn header(declared: &Declaration) -> Option<Map<String, Value>> {
    serde_json::from_str(declared.jwt_header.as_deref()?).ok()
}

/// Whether it was the client who brought a secret, and will again.
fn is_sent(interaction: &Interaction, key: &str) -> bool {
    let request = interaction.request();
    let (query, body, headers) = (
        request.query_params(),
        request.body_params(),
        request.headers(),
    );
    let mut values = query.iter().chain(body.iter()).map(|param| &param.value);
    let has = |text: &str| cores(text).any(|label| label.key() == key);
    values.any(|value| has(value))
        || headers
            .iter()
            .any(|header| has(&String::from_utf8_lossy(&header.value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(header: &str, body: &str) -> Result<Vec<String>, String> {
        let text = format!(
            "authtape: 1\nrecorded_by: other/1\nrecorded_at: \"2026-11-23T10:02:11Z\"\ninteractions:\n- id: 7\n  step: token_request\n  at: 0.0\n  request:\n    method: POST\n    url: https://as.example/token\n    http: \"1.1\"\n    form:\n    - assertion: REDACTED-{body}\n  response:\n    status: 200\n    after: 0.1\n  secrets:\n    id_token-1: {header}\n# end 7\n"
        );
        let cassette = crate::cassette::load(text.as_bytes()).expect("a cassette");
        check(&cassette.interactions).map_err(|error| error.to_string())
    }

    #[test]
    fn what_cannot_be_signed_is_told_with_its_interaction() {
        let claims = "jwt_claims: '{}'";
        for (alg, sent, expected) in [
            ("RS256", "assertion-1", ""),
            ("none", "assertion-1", ""),
            ("ES256K", "id_token-1", ""),
            ("ES256K", "id_token-12", "interaction 7: id_token-1"),
            (
                "ES256K",
                "assertion-1",
                "interaction 7: id_token-1 is signed with ES256K",
            ),
        ] {
            let header = format!("{{jwt_header: '{{\"alg\":\"{alg}\"}}', {claims}}}");
            match told(&header, sent) {
                Ok(notes) => assert!(expected.is_empty() && notes.is_empty(), "{alg}: {notes:?}"),
                Err(error) => {
                    assert!(
                        !expected.is_empty() && error.starts_with(expected),
                        "{alg}: {error}"
                    );
                }
            }
        }
        let header = r#"{jwt_header: '{"alg":"RSA-OAEP","enc":"A256GCM"}'}"#;
        let notes = told(header, "assertion-1").expect("it plays");
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].contains("id_token-1 is encrypted"), "{notes:?}");
    }
}
