//! A login, tested without its server: `cargo test --example login_test --features insta,reqwest`.
//!
//! The cassette is `tests/cassettes/login_test/login.yaml`, what the client said is
//! `examples/snapshots/login_test__tests__login.snap`. `REDIRECT_URI=https://…` changes what the client sends to
//! the token endpoint, and the test shows how.

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Error};

const CALLBACK: &str = "https://shop.example.org/oauth/callback";

/// Logs in, and gives the answer of the token endpoint.
async fn log_in(client: ClientBuilder, redirect_uri: &str) -> Result<String, Error> {
    let client: Client = client.redirect(Policy::none()).build()?;
    let asked = client
        .get("https://accounts.example.com/app/oauth/authorize")
        .query(&[
            ("client_id", "8kqf3mz2x7"),
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
            ("state", "k3v9x2m7q8w4e6r1t5y0u2i8o9p3a7s4"),
            (
                "code_challenge",
                "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            ),
            ("code_challenge_method", "S256"),
        ])
        .send()
        .await?;
    let location = asked
        .headers()
        .get("location")
        .and_then(|value| value.to_str().ok());
    let callback = location.and_then(|location| reqwest::Url::parse(location).ok());
    let code = callback.and_then(|callback| {
        let mut pairs = callback.query_pairs();
        pairs
            .find(|(name, _)| name == "code")
            .map(|(_, code)| code.into_owned())
    });
    let form = [
        ("client_id", "8kqf3mz2x7"),
        ("client_secret", "any-secret-will-do-as-long-as-it-stays"),
        ("code", &code.unwrap_or_default()),
        ("grant_type", "authorization_code"),
        ("redirect_uri", redirect_uri),
        (
            "code_verifier",
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        ),
    ];
    let token = client
        .post("https://accounts.example.com/token")
        .form(&form);
    token.send().await?.text().await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let answer = log_in(Client::builder(), CALLBACK).await?;
    // It is an example of a client.
    assert!(answer.contains("access_token"), "{answer}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn login() -> Result<(), Error> {
        let redirect_uri = std::env::var("REDIRECT_URI");
        let redirect_uri = redirect_uri.as_deref().unwrap_or(CALLBACK);
        let tape = authtape::tape!();
        log_in(tape.reqwest(), redirect_uri).await?;
        authtape::assert_transcript!(tape);
        Ok(())
    }
}
