//! What is handed on: three files, each searched before any is written.

use std::path::Path;

use crate::cli::{authtape, said};

fn workspace() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let from = Path::new(env!("CARGO_MANIFEST_DIR"));
    let from = from.join("cassettes/accounts.example.com/thread-redirect-slash.yaml");
    std::fs::copy(from, directory.path().join("login.yaml")).expect("copied");
    directory
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let mut names: Vec<_> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn a_folder_holds_the_page_the_har_file_and_the_cassette() {
    let directory = workspace();
    let at = directory.path();
    let output = authtape(at, &["share", "login.yaml"]);
    insta::assert_snapshot!("share", said(&output));
    assert_eq!(output.status.code(), Some(0));
    let folder = at.join("login-share");
    assert_eq!(
        names(&folder),
        ["cassette.yaml", "report.html", "session.har"]
    );
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect(name);
    let cassette = std::fs::read_to_string(at.join("login.yaml")).expect("the cassette");
    assert_eq!(read("cassette.yaml"), cassette);
    let page = read("report.html");
    for part in [
        "<!DOCTYPE html>",
        "default-src 'none'; style-src 'sha256-",
        "redirect_uri at /token is not byte-identical to the one at /app/oauth/authorize",
        "X-Request-Id: ",
        "<mark>&lt;client_secret-1&gt;</mark>",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for part in [
        "<script",
        "http-equiv=\"refresh\"",
        "src=",
        "@import",
        "url(",
    ] {
        assert!(!page.contains(part), "{part}");
    }
    let har: serde_json::Value = serde_json::from_str(&read("session.har")).expect("JSON");
    assert_eq!(har["log"]["entries"].as_array().map(Vec::len), Some(2));

    let again = authtape(at, &["share", "login.yaml"]);
    assert_eq!(again.status.code(), Some(3));
    assert!(
        said(&again).contains("login-share/report.html exists"),
        "{}",
        said(&again)
    );
    let replaced = authtape(at, &["share", "login.yaml", "--overwrite"]);
    assert_eq!(replaced.status.code(), Some(0), "{}", said(&replaced));
}

#[test]
fn an_archive_is_the_same_each_time() {
    let directory = workspace();
    let at = directory.path();
    let archive = |name: &str| {
        let output = authtape(at, &["share", "login.yaml", "-o", name]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        std::fs::read(at.join(name)).expect("an archive")
    };
    let first = archive("a.zip");
    assert!(first.starts_with(b"PK\x03\x04"));
    assert_eq!(first, archive("b.zip"));
}

#[test]
fn what_only_tells_writes_nothing() {
    let directory = workspace();
    for option in ["--dry-run", "--markdown"] {
        let output = authtape(directory.path(), &["share", "login.yaml", option]);
        insta::assert_snapshot!(format!("share {option}"), said(&output));
        assert_eq!(output.status.code(), Some(0));
    }
    let output = authtape(
        directory.path(),
        &["share", "login.yaml", "--dry-run", "--json"],
    );
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["kept"]["hosts"][0], "accounts.example.com");
    assert_eq!(told["redacted"]["client_secret"], 1);
    assert_eq!(names(directory.path()), ["login.yaml"]);
}

#[test]
fn what_may_not_be_handed_on_is_not() {
    let directory = workspace();
    let at = directory.path();
    let text = std::fs::read_to_string(at.join("login.yaml")).expect("the cassette");
    let edits = [
        (
            "secret.yaml",
            text.replace(
                "REDACTED-client_secret-1",
                "Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2",
            ),
        ),
        (
            "login.raw.yaml",
            text.replacen("server:", "profile: raw\nserver:", 1),
        ),
    ];
    for (name, text) in edits {
        std::fs::write(at.join(name), text).expect("written");
    }
    for (arguments, code, why) in [
        (
            &["share", "secret.yaml"][..],
            3,
            "of the cassette looks like a value of a secret parameter, so nothing was written",
        ),
        (
            &["share", "secret.yaml", "--markdown"],
            3,
            "of the cassette looks like a value of a secret parameter, so nothing was written",
        ),
        (&["share", "login.raw.yaml"], 3, "nothing in it is redacted"),
        (
            &["share", "login.yaml", "--public"],
            2,
            "record it with --public",
        ),
        (&["share", "nowhere.yaml"], 3, "cannot read nowhere.yaml"),
    ] {
        let output = authtape(at, arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            said(&output)
        );
        assert!(
            said(&output).contains(why),
            "{arguments:?}: {}",
            said(&output)
        );
    }
    assert_eq!(names(at), ["login.raw.yaml", "login.yaml", "secret.yaml"]);
}

#[test]
fn who_recorded_it_is_no_markup_of_an_issue() {
    let directory = workspace();
    let at = directory.path();
    let text = std::fs::read_to_string(at.join("login.yaml")).expect("the cassette");
    let hostile = "\"@someone [x](https://evil.example/) <img src=x> ````\"";
    let text = text.replacen("authtape/0.1.0", hostile, 1);
    std::fs::write(at.join("login.yaml"), text).expect("written");
    let output = authtape(at, &["share", "login.yaml", "--markdown"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let (_, fenced) = text.rsplit_once("\n````text\n").expect("a fence");
    let (fenced, rest) = fenced.split_once("\n````\n").expect("its end");
    assert!(
        fenced.ends_with("recorded by @someone [x](https://evil.example/) <img src=x> ''''"),
        "{fenced}"
    );
    assert_eq!(rest, "\nEvery secret is replaced by a label.\n");
}

#[test]
fn what_another_tool_recorded_is_redacted_on_the_way() {
    let directory = workspace();
    let at = directory.path();
    let secret = "Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6Jk8Lz0Xc2";
    let har = serde_json::json!({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": [{
        "startedDateTime": "2026-11-24T08:43:41Z", "time": 1, "cache": {}, "timings": {"send": 0, "wait": 1, "receive": 0},
        "request": {"method": "POST", "url": "https://as.example/token", "httpVersion": "HTTP/1.1", "cookies": [], "queryString": [], "headersSize": -1, "bodySize": -1,
            "headers": [{"name": "Content-Type", "value": "application/x-www-form-urlencoded"}],
            "postData": {"mimeType": "application/x-www-form-urlencoded", "text": format!("grant_type=client_credentials&client_id=web&client_secret={secret}")}},
        "response": {"status": 401, "statusText": "", "httpVersion": "HTTP/1.1", "cookies": [], "headersSize": -1, "bodySize": -1, "redirectURL": "",
            "headers": [{"name": "Content-Type", "value": "application/json"}], "content": {"size": 26, "mimeType": "application/json", "text": "{\"error\":\"invalid_client\"}"}}}]}});
    std::fs::write(at.join("session.har"), har.to_string()).expect("written");
    for (arguments, host) in [
        (&["share", "session.har", "-o", "a"][..], true),
        (&["share", "session.har", "-o", "b", "--public"], false),
    ] {
        let output = authtape(at, arguments);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let folder = at.join(arguments[3]);
        for name in names(&folder) {
            let text = std::fs::read_to_string(folder.join(&name)).expect("a file");
            assert!(!text.contains(secret), "{name}");
            assert_eq!(text.contains("as.example"), host, "{name}");
        }
    }
}
