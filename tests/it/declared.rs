//! Secrets that the user declares: found wherever they stand, and told to nobody.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::cli::said;
use crate::support::plain_server;

/// A word of English, which stands in any text that may be kept.
const WORD: &str = "sunshine";
const OTHER: &str = "moonlight";

fn run(directory: &Path, arguments: &[&str], environment: &[(&str, &[u8])]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_authtape"));
    command.args(arguments).current_dir(directory);
    for (name, value) in environment {
        command.env(name, std::ffi::OsStr::from_bytes(value));
    }
    command.output().expect("it starts")
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// What a client sends and a server answers, with the word in every spelling where it is kept.
fn script(port: u16) -> String {
    let percent: String = WORD.bytes().map(|byte| format!("%25{byte:02X}")).collect();
    let (base64, hex) = (STANDARD.encode(format!("x{WORD}y")), hex(WORD));
    format!(
        "curl -s -A '{WORD} {OTHER}' -d 'grant_type=x&scope={WORD}&odd={base64}&odd={hex}&odd={percent}' \
         http://127.0.0.1:{port}/{WORD}/token"
    )
}

#[test]
fn what_is_declared_is_found_in_every_place_and_spelling() {
    let here = tempfile::tempdir().expect("a directory");
    let answer = format!(
        "{{\"error\":\"invalid_grant\",\"error_description\":\"no {WORD} and no {OTHER} today\"}}"
    );
    let script = script(plain_server(&answer));
    let file = format!("\u{feff}\r\n{OTHER}\r\n  \n");
    fs::write(here.path().join("secrets"), file).expect("written");
    let declaring: &[&str] = &["--secret-env", "DECLARED", "--secret-file", "secrets"];
    for (declared, options) in [(false, &[][..]), (true, declaring)] {
        let name = format!("{declared}.yaml");
        let first = ["record", &name, "--keep-value", "odd"];
        let arguments = [&first, options, &["--", "sh", "-c", &script]].concat();
        let output = run(here.path(), &arguments, &[("DECLARED", WORD.as_bytes())]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let tape = fs::read_to_string(here.path().join(&name)).expect("a cassette");
        let base64 = STANDARD.encode(format!("x{WORD}y"));
        for spelled in [WORD, OTHER, &hex(WORD), &base64[2..10], "%73%75%6E"] {
            assert_eq!(tape.contains(spelled), !declared, "{spelled}: {tape}");
        }
        if declared {
            assert!(tape.contains("redacted: {secret: 2"), "{tape}");
            let sentence = "\"no REDACTED-secret-2 and no REDACTED-secret-1 today\"";
            assert!(tape.contains(sentence), "{tape}");
            assert!(tape.contains("/REDACTED-secret-2/token"), "{tape}");
            for spelled in ["--base64", "--hex", "--pct"] {
                assert!(
                    tape.contains(&format!("REDACTED-secret-2{spelled}")),
                    "{tape}"
                );
            }
            let told = said(&output);
            assert!(told.contains("replaced by labels: 2 secret"), "{told}");
        }
    }
}

#[test]
fn a_secret_that_was_never_said_is_not_counted() {
    let here = tempfile::tempdir().expect("a directory");
    let url = format!("http://127.0.0.1:{}/token", plain_server("{}"));
    let environment = [("DECLARED", WORD.as_bytes())];
    let record = ["record", "x.yaml", "--secret-env", "DECLARED", "--"];
    let client = ["curl", "-s", "-d", "grant_type=x", &url];
    let output = run(here.path(), &[&record[..], &client].concat(), &environment);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let tape = fs::read_to_string(here.path().join("x.yaml")).expect("a cassette");
    assert!(!tape.contains("redacted:"), "{tape}");
    assert!(tape.contains("audit: {rules: 1, secrets: 0,"), "{tape}");
    assert!(!said(&output).contains("secret"), "{}", said(&output));
}

#[test]
fn the_program_inherits_what_it_would_without() {
    let here = tempfile::tempdir().expect("a directory");
    let record = ["record", "x.yaml", "-q", "--secret-env", "DECLARED", "--"];
    let arguments = [&record[..], &["printenv", "DECLARED"]].concat();
    let output = run(here.path(), &arguments, &[("DECLARED", WORD.as_bytes())]);
    assert_eq!(output.stdout, format!("{WORD}\n").into_bytes());
}

#[test]
fn what_cannot_be_declared_is_named_and_not_shown() {
    let here = tempfile::tempdir().expect("a directory");
    let write = |name: &str, bytes: &[u8]| fs::write(here.path().join(name), bytes).expect(name);
    let (short, bytes) = ("q9z!x", b"caf\xe9-caf\xe9");
    write("short", format!("{WORD}\n\n{short}\n").as_bytes());
    write("word", b"authorization_code\n");
    write("bytes", bytes);
    write("blank", b"\xef\xbb\xbf\n \r\n");
    write("large", &vec![b'q'; (1 << 20) + 1]);
    let many: String = (0..10_001).map(|n| format!("secret{n:05}\n")).collect();
    write("many", many.as_bytes());
    let long = "q".repeat(1 << 20);
    write("largest", long.as_bytes());
    let rows: &[(&str, &str, i32, &str)] = &[
        (
            "--secret-env",
            "UNSET_1",
            2,
            "--secret-env UNSET_1: no such variable is set",
        ),
        (
            "--secret-env",
            "hunter2Qz",
            2,
            "--secret-env NAME: no variable of the given name is set",
        ),
        (
            "--secret-env",
            "A=hunter2Qz",
            2,
            "--secret-env NAME: it takes the name of a variable",
        ),
        (
            "--secret-env",
            "",
            2,
            "--secret-env NAME: it takes the name of a variable",
        ),
        (
            "--secret-env",
            "EMPTY",
            2,
            "--secret-env EMPTY: it is empty",
        ),
        (
            "--secret-env",
            "SHORT",
            2,
            "--secret-env SHORT: it is shorter than 6 bytes",
        ),
        (
            "--secret-env",
            "BYTES",
            2,
            "--secret-env BYTES: its value is no UTF-8 text",
        ),
        (
            "--secret-env",
            "PROTOCOL",
            2,
            "--secret-env PROTOCOL: it is a word of the protocol",
        ),
        ("--secret-file", "missing", 3, "cannot read missing"),
        ("--secret-file", ".", 3, "cannot read .: Is a directory"),
        (
            "--secret-file",
            "/dev/zero",
            3,
            "/dev/zero has more than 1048576 bytes",
        ),
        (
            "--secret-file",
            "large",
            3,
            "large has more than 1048576 bytes",
        ),
        (
            "--secret-file",
            "short",
            2,
            "short, line 3: it is shorter than 6 bytes",
        ),
        (
            "--secret-file",
            "word",
            2,
            "word, line 1: it is a word of the protocol",
        ),
        (
            "--secret-file",
            "bytes",
            2,
            "bytes, line 1: it is no UTF-8 text",
        ),
        ("--secret-file", "blank", 2, "blank holds no secret"),
        ("--secret-file", "many", 2, "more than 10000 secrets"),
        ("--secret-file", "largest", 1, "nothing to record"),
    ];
    let environment: &[(&str, &[u8])] = &[
        ("EMPTY", b""),
        ("SHORT", short.as_bytes()),
        ("BYTES", bytes),
        ("PROTOCOL", b"refresh_token"),
    ];
    fs::write(here.path().join("in.har"), "{}").expect("written");
    for (option, value, code, expected) in rows {
        let record = ["record", "x.yaml", option, value, "--", "true"];
        let scrub = ["scrub", "in.har", "-o", "x.har", option, value];
        for arguments in [&record, &scrub] {
            let output = run(here.path(), arguments, environment);
            let told = said(&output);
            if *code == 1 && arguments[0] == "scrub" {
                assert!(told.contains("in.har"), "the file is read: {told}");
                continue;
            }
            assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {told}");
            assert!(told.contains(expected), "{arguments:?}: {told}");
            for secret in [
                short,
                "hunter2",
                "caf",
                "refresh_token",
                "authorization_code",
                WORD,
            ] {
                assert!(!told.contains(secret), "{arguments:?}: {told}");
            }
        }
        assert!(!here.path().join("x.yaml").exists(), "{option} {value}");
        assert!(
            !here.path().join("x.yaml.part").exists(),
            "{option} {value}"
        );
    }
}

#[test]
fn a_har_file_loses_what_is_declared() {
    let here = tempfile::tempdir().expect("a directory");
    let har = serde_json::json!({ "log": { "version": "1.2", "entries": [{
        "startedDateTime": "2026-11-23T11:00:00.000Z", "time": 1,
        "request": { "method": "GET", "httpVersion": "HTTP/1.1", "headers": [], "url": format!("https://idp.example/{WORD}/help") },
        "response": {
            "status": 400, "headers": [{ "name": "Warning", "value": format!("no {WORD} today") }],
            "content": { "mimeType": "application/json", "text": format!("{{\"error\":\"x\",\"error_description\":\"no {WORD} today\"}}") },
        },
    }] } });
    fs::write(here.path().join("in.har"), har.to_string()).expect("written");
    for (options, is_there) in [(&[][..], true), (&["--secret-env", "DECLARED"], false)] {
        let scrub = ["scrub", "in.har", "-o", "-"];
        let arguments = [&scrub[..], options].concat();
        let output = run(here.path(), &arguments, &[("DECLARED", WORD.as_bytes())]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let scrubbed = String::from_utf8(output.stdout).expect("text");
        assert_eq!(scrubbed.contains(WORD), is_there, "{scrubbed}");
        assert_eq!(
            scrubbed.contains("REDACTED-secret-1"),
            !is_there,
            "{scrubbed}"
        );
    }
}
