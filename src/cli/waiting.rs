//! What a person is told who runs clients of their own behind the proxy.

use std::path::Path;

use anyhow::Context as _;
use authtape::deck::Running;
use authtape::launch::{Environment, shell_file};

use crate::cli::output::{say, word};

/// Writes what a client's shell is to read.
pub(crate) fn write_shell_file<Deck>(
    file: &Path,
    running: &Running<Deck>,
    environment: &Environment,
) -> anyhow::Result<()> {
    let url = running.proxy_url();
    // The password is not for a disk; that shell is to know it too.
    let shown = if running.asks_for_password() {
        url.replacen("://", "://authtape:$AUTHTAPE_PROXY_PASSWORD@", 1)
    } else {
        url
    };
    let text = shell_file(environment, &running.client_url(), &format!("\"{shown}\""));
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// Says where the proxy is, and how clients come to it.
pub(crate) fn instructions<Deck>(
    running: &Running<Deck>,
    file: &Path,
    ca_dir: Option<&Path>,
) -> anyhow::Result<()> {
    say(&format!("listening on {}", running.proxy_url()));
    if running.asks_for_password() {
        say("in the shell of your client, where AUTHTAPE_PROXY_PASSWORD is set too:");
    } else {
        say("in the shell of your client:");
    }
    say(&format!("  . {}", word(&file.to_string_lossy())));
    if !running.address().ip().is_loopback() {
        elsewhere(running, file, ca_dir)?;
    }
    say("Ctrl-C here ends it; `authtape_off` in that shell puts back what it had");
    Ok(())
}

/// What a client on another machine is to be told.
fn elsewhere<Deck>(
    running: &Running<Deck>,
    file: &Path,
    ca_dir: Option<&Path>,
) -> anyhow::Result<()> {
    let address = running.address();
    let host = if address.ip().is_unspecified() {
        format!("THIS-MACHINE:{}", address.port())
    } else {
        address.to_string()
    };
    say(&format!(
        "on another machine, HTTPS_PROXY and HTTP_PROXY are http://authtape:PASSWORD@{host}, and this is to be trusted:"
    ));
    if let Some(directory) = ca_dir {
        say(&format!("  {}", directory.join("ca.pem").display()));
    } else {
        let certificate = file.with_file_name("ca.pem");
        std::fs::write(&certificate, running.ca_pem()).context("cannot write the certificate")?;
        say(&format!(
            "  {}, for this run; `authtape ca new DIR` and --ca DIR are for one that stays",
            certificate.display()
        ));
    }
    Ok(())
}

/// Says what is left to do when the run has ended.
pub(crate) fn farewell() {
    say("a shell that read the file still asks for this proxy; `authtape_off` in it ends that");
}
