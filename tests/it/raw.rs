//! `--unsafe-raw`: nothing is hidden, everybody is told, and nothing that is handed on takes it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use authtape::cassette;
use authtape::export::har::har;
use authtape::model::Asides;
use authtape::redact::Profile;

use crate::cli::{authtape, said};
use crate::session::{self, CODE, FAULTS, Fault, SECRET, STATE, VERIFIER};
use crate::support::plain_server;

const ALARM: &str = "NOT REDACTED: ";

fn record(directory: &Path, name: &str, options: &[&str]) -> Output {
    let url = format!(
        "http://127.0.0.1:{}/token",
        plain_server("{\"error\":\"x\"}")
    );
    let client = [
        "--",
        "curl",
        "-s",
        "-d",
        "grant_type=password&password=hunter2&username=jane",
        &url,
    ];
    let arguments = [&["record", name, "--unsafe-raw"], options, &client].concat();
    authtape(directory, &arguments)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("a file")
}

#[test]
fn every_secret_is_written_beside_its_label_and_a_body_as_it_was() {
    let text = session::recorded(Fault::FinalSlash, Profile::Raw);
    assert!(text.contains("\nprofile: raw\n"), "{text}");
    for expected in [
        format!("code-1: {{length: 24, alphabet: alnum, value: {CODE}}}"),
        format!("value: {SECRET}"),
        format!("value: {STATE}"),
        format!("value: {VERIFIER}"),
        "text: '<html>".to_owned(),
        "code: REDACTED-code-1".to_owned(),
    ] {
        let plain = text.replace("\"<html>", "'<html>");
        assert!(plain.contains(&expected), "{expected}: {text}");
    }
    let cassette = cassette::load(text.as_bytes()).expect("it loads");
    assert_eq!(cassette::write(&cassette), text);
    let shown = format!("{cassette:?}");
    for secret in [CODE, SECRET, STATE, VERIFIER, "hunter2"] {
        assert!(!shown.contains(secret), "{secret}");
    }
    let support = session::recorded(Fault::FinalSlash, Profile::Support);
    assert!(support.contains("\naudit: {"), "{support}");
    assert!(!text.contains("\naudit:"), "nothing was searched: {text}");
    assert!(
        !support.contains("value:") && !support.contains("hunter2"),
        "{support}"
    );
}

#[test]
fn what_is_not_redacted_says_the_same_of_every_fault() {
    let mut ids = std::collections::BTreeSet::new();
    for fault in FAULTS {
        let support = session::findings(&session::loaded(*fault, Profile::Support));
        let raw = session::findings(&session::loaded(*fault, Profile::Raw));
        assert_eq!(raw, support, "{fault:?}");
        ids.extend(support);
    }
    assert!(ids.len() > 10, "the faults are found: {ids:?}");
}

#[test]
fn nothing_that_can_be_handed_on_is_made_of_it() {
    let here = tempfile::tempdir().expect("a directory");
    let text = session::recorded(Fault::FinalSlash, Profile::Raw);
    let cassette = cassette::load(text.as_bytes()).expect("a cassette");
    let refused = har(&cassette, &Asides::default()).err().expect("refused");
    assert!(matches!(refused, cassette::Error::Raw), "{refused}");
    fs::write(here.path().join("x.raw.yaml"), &text).expect("written");
    let output = authtape(here.path(), &["scrub", "x.raw.yaml", "-o", "x.har"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        said(&output).contains("nothing in it is redacted"),
        "{}",
        said(&output)
    );
    assert!(!here.path().join("x.har").exists());
    let output = authtape(here.path(), &["audit", "x.raw.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let hit = "x.raw.yaml:4:1: recording that is not redacted\n";
    assert!(said(&output).contains(hit), "{}", said(&output));
    for arguments in [
        &["show", "x.raw.yaml"][..],
        &["show", "x.raw.yaml", "--json"],
        &["show", "x.raw.yaml", "--diagram"],
        &["show", "x.raw.yaml", "--list"],
        &["explain", "x.raw.yaml"],
        &["explain", "x.raw.yaml", "--json"],
    ] {
        let output = authtape(here.path(), arguments);
        assert!(
            output.status.code() < Some(2),
            "{arguments:?}: {}",
            said(&output)
        );
        for secret in [CODE, SECRET, STATE, VERIFIER, "hunter2"] {
            assert!(!said(&output).contains(secret), "{arguments:?}: {secret}");
        }
    }
    let output = authtape(here.path(), &["show", "x.raw.yaml"]);
    assert!(
        said(&output).contains(", not redacted\n"),
        "{}",
        said(&output)
    );
}

#[test]
fn the_mark_cannot_be_left_out() {
    let raw = session::recorded(Fault::FinalSlash, Profile::Raw);
    for without in [
        raw.replace("profile: raw\n", ""),
        raw.replace("profile: raw", "profile: support"),
    ] {
        assert_ne!(without, raw);
        let refused = cassette::load(without.as_bytes()).expect_err("no mark");
        assert!(
            refused.to_string().contains("put `profile: raw` back"),
            "{refused}"
        );
    }
    let page = raw
        .split("- id: 3")
        .nth(1)
        .and_then(|rest| rest.split("# end 3").next());
    let page = page
        .expect("the page")
        .split("  secrets:")
        .next()
        .expect("its head");
    let alone = format!(
        "authtape: 1\nrecorded_by: x\nrecorded_at: \"2026-11-23T10:02:11Z\"\ninteractions:\n\n- id: 3{page}# end 3\n"
    );
    assert!(alone.contains("<html>"), "{alone}");
    let refused = cassette::load(alone.as_bytes()).expect_err("a body is enough");
    assert!(refused.to_string().starts_with("line 6, "), "{refused}");
}

#[test]
fn the_name_and_both_ends_of_a_recording_say_it() {
    let here = tempfile::tempdir().expect("a directory");
    for (name, better) in [("x.yaml", "x.raw.yaml"), ("x", "x.raw.yaml")] {
        let output = record(here.path(), name, &[]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(
            said(&output).contains(&format!("give {better}")),
            "{}",
            said(&output)
        );
    }
    assert_eq!(fs::read_dir(here.path()).expect("a directory").count(), 0);
    let output = record(here.path(), "x.raw.yaml", &["--quiet"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(told.matches(ALARM).count(), 2, "{told}");
    assert!(!told.contains("hunter2"), "{told}");
    let tape = here.path().join("x.raw.yaml");
    assert!(
        read(&tape).contains("password-1: {value: hunter2}"),
        "{}",
        read(&tape)
    );
    let mode = fs::metadata(&tape).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for option in ["--public", "--secret-env=PATH", "--secret-file=x"] {
        let output = record(here.path(), "y.raw.yaml", &[option]);
        assert_eq!(output.status.code(), Some(2), "{option}: {}", said(&output));
    }
}

#[test]
fn git_is_told_to_ignore_it() {
    let tree = tempfile::tempdir().expect("a directory");
    let made = Command::new("git")
        .args(["init", "-q"])
        .current_dir(tree.path())
        .status();
    let has_git = made.is_ok_and(|status| status.success());
    fs::create_dir_all(tree.path().join(".git")).expect("a work tree");
    fs::create_dir(tree.path().join("tapes")).expect("a directory");
    let ignore = tree.path().join(".gitignore");
    let output = record(tree.path(), "tapes/x.raw.yaml", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(read(&ignore), "*.raw.yaml*\n");
    let told = format!(
        "the line *.raw.yaml* was added to {}, so that git ignores the cassette",
        ignore.canonicalize().expect("a path").display()
    );
    assert_eq!(said(&output).matches(&told).count(), 1, "{}", said(&output));
    let output = record(tree.path(), "tapes/y.raw.yaml", &[]);
    assert_eq!(read(&ignore), "*.raw.yaml*\n");
    assert!(!said(&output).contains("git ignores"), "{}", said(&output));
    if has_git {
        let mut git = Command::new("git");
        git.args(["status", "--porcelain"]).current_dir(tree.path());
        let status = git.output().expect("git runs").stdout;
        assert_eq!(String::from_utf8_lossy(&status), "?? .gitignore\n");
    }
    fs::remove_file(&ignore).expect("removed");
    symlink("elsewhere", &ignore).expect("a link");
    let output = record(tree.path(), "tapes/z.raw.yaml", &[]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(
        said(&output).contains(".gitignore is a symbolic link"),
        "{}",
        said(&output)
    );
    assert!(!tree.path().join("tapes/z.raw.yaml").exists());
    assert!(!tree.path().join("elsewhere").exists());
}

#[test]
fn what_is_recovered_is_marked_and_named_as_it_was() {
    let here = tempfile::tempdir().expect("a directory");
    let url = format!(
        "http://127.0.0.1:{}/token",
        plain_server("{\"error\":\"x\"}")
    );
    let script =
        format!("curl -s -d 'grant_type=password&password=hunter2' {url}; echo; kill -9 $PPID");
    let mut child = Command::new(env!("CARGO_BIN_EXE_authtape"))
        .args([
            "record",
            "x.raw.yaml",
            "--unsafe-raw",
            "--",
            "sh",
            "-c",
            &script,
        ])
        .current_dir(here.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("a pipe");
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("an answer");
    child.wait().expect("it is killed");
    let part = here.path().join("x.raw.yaml.part");
    let mode = fs::metadata(&part).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::copy(&part, here.path().join("y.yaml.part")).expect("copied");
    fs::write(here.path().join("x.raw.yaml"), "mine").expect("written");
    let output = authtape(here.path(), &["recover", "y.yaml.part"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(
        said(&output).contains("give y.raw.yaml"),
        "{}",
        said(&output)
    );
    let output = authtape(here.path(), &["recover", "x.raw.yaml.part"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains(ALARM), "{}", said(&output));
    let recovered = read(&here.path().join("x.recovered.raw.yaml"));
    assert!(recovered.contains("\nprofile: raw\n"), "{recovered}");
    assert!(recovered.contains("value: hunter2"), "{recovered}");
}

#[test]
fn it_is_replayed_as_any() {
    let here = tempfile::tempdir().expect("a directory");
    let output = record(here.path(), "x.raw.yaml", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let tape = read(&here.path().join("x.raw.yaml"));
    let url = tape
        .split("url: ")
        .nth(1)
        .and_then(|rest| rest.lines().next());
    let client = [
        "--",
        "curl",
        "-s",
        "-d",
        "grant_type=password&password=other&username=joe",
        url.expect("a URL"),
    ];
    let arguments = [&["replay", "x.raw.yaml"], &client[..]].concat();
    let output = authtape(here.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("1 played"), "{}", said(&output));
}
