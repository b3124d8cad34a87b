//! A program in any language, tested from Rust: `cargo test --example command_test`.

use std::process::Command;

/// The program under test: curl, which begins a login.
fn program(mut curl: Command) -> std::io::Result<bool> {
    let arguments = [
        "--silent",
        "--fail",
        "--get",
        "--data",
        "client_id=8kqf3mz2x7",
        "--data",
        "response_type=code",
        "--data-urlencode",
        "redirect_uri=https://shop.example.org/oauth/callback",
        "--data",
        "state=k3v9x2m7q8w4e6r1t5y0u2i8o9p3a7s4",
        "--data",
        "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "--data",
        "code_challenge_method=S256",
        "https://accounts.example.com/app/oauth/authorize",
    ];
    Ok(curl.args(arguments).status()?.success())
}

fn main() -> std::io::Result<()> {
    let is_answered = program(Command::new("curl"))?;
    assert!(is_answered, "the server did not answer");
    Ok(())
}

#[cfg(test)]
mod tests {
    use authtape::harness::{Tape, path_of};

    use super::*;

    #[test]
    fn login_begins() -> Result<(), Box<dyn std::error::Error>> {
        let path = path_of(env!("CARGO_MANIFEST_DIR"), "login_test.rs", "login");
        let tape = Tape::builder(path).allow_unused(true).build()?;
        assert!(program(tape.command("curl")?)?);
        let transcript = tape.finish()?;
        assert_eq!(transcript.played, 1);
        Ok(())
    }
}
