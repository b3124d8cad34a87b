//! Names of files that are made of what strangers chose.

use sha2::{Digest as _, Sha256};

/// A file name, without its ending, for a name that may hold anything: small letters, digits and
/// `.`, `_`, `-`, at most 100 of them, that mean nothing to a file system. Where it is not the name
/// itself, a hash tells it from others, so that no two names have the same file.
pub fn file_name(name: &str) -> String {
    let is_kept = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let kept = |c: char| match c.to_ascii_lowercase() {
        c if is_kept(c) => c,
        _ => '-',
    };
    let mut stem: String = name.chars().take(STEM_MAX).map(kept).collect();
    if stem.is_empty() || stem.starts_with(['.', '-']) || is_device(&stem) {
        stem.insert(0, '_');
    }
    let is_itself = stem == name && !stem.ends_with('.') && !looks_hashed(name);
    if is_itself {
        return stem;
    }
    let hash = Sha256::digest(name.as_bytes());
    let hash: String = hash[..HASH_BYTES]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{stem}-{hash}")
}

/// Names that Windows has for devices, with any ending.
fn is_device(stem: &str) -> bool {
    let name = stem.split('.').next().unwrap_or_default();
    let numbered = ["com", "lpt"].iter().any(|device| {
        let number = name.strip_prefix(device);
        number.is_some_and(|number| {
            number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit())
        })
    });
    numbered || ["aux", "con", "nul", "prn"].contains(&name)
}

/// Whether it ends as a name does that was given a hash.
fn looks_hashed(name: &str) -> bool {
    let hash = name.rsplit_once('-').map(|(_, hash)| hash);
    hash.is_some_and(|hash| {
        hash.len() == 2 * HASH_BYTES && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

const STEM_MAX: usize = 80;
const HASH_BYTES: usize = 6;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const HOSTILE: &[&str] = &[
        "",
        ".",
        "..",
        "...",
        "/",
        "//",
        "\\",
        "../x",
        "..\\x",
        "/etc/passwd",
        "C:\\x",
        "C:",
        "a/b",
        "a\\b",
        "a:b",
        "~",
        "~root",
        "-rf",
        "--",
        ".git",
        ".ssh/id",
        "con",
        "CON",
        "con.txt",
        "aux",
        "nul",
        "NUL.json",
        "prn",
        "com1",
        "COM9.x",
        "lpt0",
        "x.",
        "x ",
        " x",
        "x\0y",
        "x\ny",
        "\u{1b}[31m",
        "\u{202e}x",
        "é",
        "e\u{301}",
        "ß",
        "SS",
        "ＡＢ",
        "x*",
        "x?",
        "<x>",
        "|x",
        "\"x\"",
        "'x'",
        "$(id)",
        "`id`",
        "%2e%2e%2f",
        "x;y",
        "&x",
        "junit.xml/..",
        "Login",
        "LOGIN",
        "login-9d6322c1f4d9",
        "\u{feff}x",
    ];

    #[test]
    fn plain_names_stay_and_others_are_told_apart() {
        for name in ["login", "login.worker-1", "test_login", "a.b.c", "0"] {
            assert_eq!(file_name(name), name);
        }
        assert_eq!(file_name("Login"), "login-9d6322c1f4d9");
    }

    #[test]
    fn no_name_leaves_its_directory_or_meets_another() {
        let long = "x".repeat(5000);
        let hostile = HOSTILE.iter().copied().chain([long.as_str()]);
        assert_eq!(hostile.clone().count(), 60);
        let mut seen = BTreeSet::new();
        for name in hostile {
            let file = file_name(name);
            let is_safe =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
            assert!(
                (1..=100).contains(&file.len()) && file.chars().all(is_safe),
                "{name:?}: {file}"
            );
            assert!(
                !file.starts_with(['.', '-']) && !file.ends_with('.') && !is_device(&file),
                "{name:?}: {file}"
            );
            assert!(seen.insert(file.clone()), "{name:?}: {file} is another's");
        }
    }
}
