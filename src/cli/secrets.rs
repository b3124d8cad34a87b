//! What is hidden besides: whose session it was, and secrets that the user declares.

use std::path::{Path, PathBuf};

use anyhow::bail;
use authtape::cassette;
use authtape::library;
use authtape::redact::{Declared, Profile};
use clap::Args;
use zeroize::Zeroizing;

use crate::cli::exit::Usage;

/// What is hidden besides. No option takes a secret itself, which the list of processes would show.
#[derive(Args)]
pub(crate) struct HidingArgs {
    /// Replace also whose it was: hosts, clients, tenants and realms, identifiers of requests
    #[arg(long)]
    public: bool,
    /// Replace the value of this variable wherever it stands, in whatever encoding (repeatable)
    #[arg(long, value_name = "NAME")]
    secret_env: Vec<String>,
    /// Replace what each line of this file says, likewise (repeatable)
    #[arg(long, value_name = "FILE")]
    secret_file: Vec<PathBuf>,
}

impl HidingArgs {
    /// How much is shown.
    pub(crate) fn profile(&self) -> Profile {
        if self.public {
            Profile::Public
        } else {
            Profile::Support
        }
    }

    /// Reads the secrets that are declared.
    ///
    /// # Errors
    ///
    /// The error names the variable, or the file and the line, and nothing else of a secret.
    pub(crate) fn secrets(&self) -> anyhow::Result<Vec<Declared>> {
        let mut secrets = Vec::new();
        for name in &self.secret_env {
            secrets.push(of_variable(name)?);
        }
        for path in &self.secret_file {
            secrets.extend(of_file(path)?);
        }
        if secrets.len() > MOST {
            let why =
                format!("more than {MOST} secrets are declared; each is searched for everywhere");
            return Err(Usage(why).into());
        }
        Ok(secrets)
    }
}

fn of_variable(name: &str) -> anyhow::Result<Declared> {
    let told = if is_shown(name) { name } else { "NAME" };
    let refused = |why: &str| Usage(format!("--secret-env {told}: {why}"));
    if name.is_empty() || name.contains(['=', '\0']) {
        let why = "it takes the name of a variable, not its value";
        return Err(refused(why).into());
    }
    let Some(value) = std::env::var_os(name) else {
        let why = if is_shown(name) {
            "no such variable is set"
        } else {
            "no variable of the given name is set; it is not shown here, for it may be the secret itself"
        };
        return Err(refused(why).into());
    };
    let Ok(value) = value.into_string().map(Zeroizing::new) else {
        return Err(refused("its value is no UTF-8 text").into());
    };
    // What a shell's `read` or a file leaves behind it is no part of a secret.
    let value = value.trim_end_matches(['\r', '\n']).to_owned();
    Ok(Declared::new(value).map_err(|why| refused(&why.to_string()))?)
}

fn of_file(path: &Path) -> anyhow::Result<Vec<Declared>> {
    let name = path.display();
    let bytes = match library::read_sized(path, LARGEST) {
        Err(library::Error::Cassette {
            source: cassette::Error::TooLarge { limit },
            ..
        }) => bail!("{name} has more than {limit} bytes; it is to hold one secret a line"),
        read => Zeroizing::new(read?),
    };
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
    let mut secrets = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let refused = |why: &str| Usage(format!("{name}, line {number}: {why}"));
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let Ok(line) = std::str::from_utf8(line) else {
            return Err(refused("it is no UTF-8 text").into());
        };
        secrets.push(Declared::new(line.to_owned()).map_err(|why| refused(&why.to_string()))?);
    }
    if secrets.is_empty() {
        return Err(Usage(format!("{name} holds no secret; it is to hold one a line")).into());
    }
    Ok(secrets)
}

/// Whether a name may be said again. In the place of one, people give the value by mistake, and that
/// has digits among lower-case letters, or both cases, more often than any name.
fn is_shown(name: &str) -> bool {
    let all = |fits: fn(u8) -> bool| name.bytes().all(|byte| byte == b'_' || fits(byte));
    !name.is_empty()
        && (all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            || all(|byte| byte.is_ascii_lowercase()))
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// How many bytes a file of secrets has at most.
const LARGEST: usize = 1 << 20;
/// How many secrets may be declared; to search for these takes no time that anybody notices.
const MOST: usize = 10_000;
