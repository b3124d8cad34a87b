//! `explain` over many files, in every format, and over what other tools recorded.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::{authtape, said};

fn shipped() -> String {
    format!(
        "{}/cassettes/accounts.example.com",
        env!("CARGO_MANIFEST_DIR")
    )
}

/// A directory with a failing session, a healthy one and a file that is no cassette.
fn directory() -> tempfile::TempDir {
    let here = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(here.path().join("tapes")).expect("a directory");
    let copy = |from: &str, to: &str| {
        let from = format!("{}/{from}.yaml", shipped());
        std::fs::copy(from, here.path().join("tapes").join(to)).expect("copied");
    };
    copy("thread-redirect-slash", "bad.yaml");
    copy("thread-correct", "good.yaml");
    std::fs::write(here.path().join("tapes/other.yaml"), "version: 2\n").expect("written");
    here
}

fn lines(here: &Path, arguments: &[&str]) -> Vec<Value> {
    let output = authtape(here, arguments);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let line = |line: &str| serde_json::from_str(line).expect("JSON");
    text.lines().map(line).collect()
}

#[test]
fn a_directory_is_told_as_a_table_and_what_is_no_cassette_hides_nothing() {
    let here = directory();
    let output = authtape(here.path(), &["explain", "tapes"]);
    assert_eq!(output.status.code(), Some(3));
    insta::assert_snapshot!("explain directory", said(&output));
    let told = lines(here.path(), &["explain", "tapes", "--json"]);
    let names: Vec<_> = told.iter().map(|line| &line["cassette"]).collect();
    assert_eq!(
        names,
        ["tapes/bad.yaml", "tapes/good.yaml", "tapes/other.yaml"]
    );
    assert_eq!(told[0]["errors"], 1);
    assert_eq!(told[1]["findings"], json!([]));
    assert!(told[2]["not_read"].is_string(), "{}", told[2]);
}

#[test]
fn the_severity_that_fails_is_the_one_that_was_asked_for() {
    let here = directory();
    let bad = "tapes/bad.yaml";
    let rule = "redirect-uri-trailing-slash";
    for (arguments, expected) in [
        (&[bad][..], 1),
        (&["tapes/good.yaml"], 0),
        (&["tapes/good.yaml", bad], 1),
        (&[bad, "--fail-on", "never"], 0),
        (&[bad, "--ignore", rule], 0),
        (&[bad, "--ignore", rule, "--fail-on", "note"], 1),
        (&[bad, "--rule", rule], 1),
        (&[bad, "--rule", "token-body-json"], 0),
    ] {
        let output = authtape(here.path(), &[&["explain"], arguments].concat());
        let code = output.status.code();
        assert_eq!(code, Some(expected), "{arguments:?}: {}", said(&output));
    }
}

#[test]
fn a_refusal_of_which_no_rule_speaks_is_told_all_the_same() {
    let here = directory();
    let bad = ["explain", "tapes/bad.yaml", "--rule", "token-body-json"];
    let expected = "tapes/bad.yaml: no finding\n\nrefused, and no rule sees why:\n  2 token request: 401 invalid_grant \"Unable to authenticate username and password\"\n  what may be behind it: authtape explain --error invalid_grant\nonly the rules that --rule and --ignore left were asked\n";
    assert_eq!(said(&authtape(here.path(), &bad)), expected);
    let told = lines(here.path(), &[&bad[..], &["--json"]].concat());
    assert_eq!(told[0]["unexplained"][0]["error"], "invalid_grant");
    let told = lines(here.path(), &["explain", "tapes/bad.yaml", "--json"]);
    assert_eq!(told[0]["unexplained"], json!([]), "a rule speaks of it");
    let told = lines(here.path(), &["explain", "tapes/other.yaml", "--json"]);
    assert!(told[0]["not_read"].is_string(), "{}", told[0]);
}

#[test]
fn markdown_and_sarif_say_the_same_as_the_text() {
    let here = directory();
    let bad = ["explain", "tapes/bad.yaml", "--format"];
    let markdown = authtape(here.path(), &[&bad[..], &["markdown"]].concat());
    insta::assert_snapshot!("explain markdown", said(&markdown));
    let sarif = authtape(here.path(), &["explain", "tapes", "--format", "sarif"]);
    assert_eq!(sarif.status.code(), Some(3));
    let sarif: Value = serde_json::from_slice(&sarif.stdout).expect("JSON");
    let run = &sarif["runs"][0];
    let result = &run["results"][0];
    assert_eq!(result["ruleId"], "redirect-uri-trailing-slash");
    assert_eq!(result["level"], "error");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "tapes/bad.yaml");
    let text = std::fs::read_to_string(here.path().join("tapes/bad.yaml")).expect("a file");
    let line = place["region"]["startLine"].as_u64().expect("a line");
    let line = text.lines().nth(usize::try_from(line).expect("few") - 1);
    assert!(line.is_some_and(|line| line.starts_with("- id: ")));
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    let unread = &run["invocations"][0]["toolExecutionNotifications"][0];
    assert!(unread["message"]["text"].is_string(), "{unread}");
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]));
}

#[test]
fn an_error_text_leads_to_rules_without_a_recording() {
    let here = tempfile::tempdir().expect("a directory");
    let output = authtape(
        here.path(),
        &["explain", "--error", "405 Method Not Allowed"],
    );
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!("explain error", said(&output));
    let told = lines(
        here.path(),
        &["explain", "--error", "invalid_grant", "--json"],
    );
    let first = &told[0]["look_at"][0]["rules"][0];
    assert_eq!(first, "redirect-uri-trailing-slash");
    let output = authtape(
        here.path(),
        &["explain", "--error", "it is \u{1b}[31mbroken"],
    );
    assert_eq!(output.status.code(), Some(1));
    let told = said(&output);
    assert!(
        told.contains("nothing is known") && !told.contains('\u{1b}'),
        "{told}"
    );
}

/// What a browser saved of a token request in JSON, with a secret.
fn har() -> String {
    let body =
        json!({ "grant_type": "client_credentials", "client_id": "shop", "client_secret": SECRET });
    json!({ "log": { "entries": [{
        "startedDateTime": "2026-11-23T10:02:11.250Z",
        "time": 20,
        "request": {
            "method": "POST",
            "url": "https://as.example/token",
            "httpVersion": "HTTP/1.1",
            "headers": [{ "name": "Content-Type", "value": "application/json" }],
            "postData": { "mimeType": "application/json", "text": body.to_string() },
        },
        "response": {
            "status": 400,
            "headers": [{ "name": "Content-Type", "value": "application/json" }],
            "content": { "mimeType": "application/json", "text": "{\"error\":\"unsupported_grant_type\"}" },
        },
    }] } })
    .to_string()
}

/// The same as mitmproxy writes it.
fn flow() -> String {
    let net = |payload: &str, kind: char| format!("{}:{payload}{kind}", payload.len());
    let dict = |members: &[(&str, String)]| {
        let members = members.iter().map(|(name, value)| net(name, ';') + value);
        net(&members.collect::<String>(), '}')
    };
    let field = net(
        &(net("content-type", ',') + &net("application/json", ',')),
        ']',
    );
    let body =
        json!({ "grant_type": "client_credentials", "client_id": "shop", "client_secret": SECRET });
    let message = |content: &str, more: &[(&str, String)]| {
        let own = [
            ("http_version", net("HTTP/1.1", ',')),
            ("headers", net(&field, ']')),
            ("content", net(content, ',')),
            ("timestamp_start", net("1795428131.25", '^')),
        ];
        dict(&[&own[..], more].concat())
    };
    let request = [
        ("host", net("as.example", ';')),
        ("port", net("443", '#')),
        ("method", net("POST", ',')),
        ("scheme", net("https", ',')),
        ("path", net("/token", ',')),
    ];
    let response = [("status_code", net("400", '#'))];
    dict(&[
        ("version", net("21", '#')),
        ("type", net("http", ';')),
        ("request", message(&body.to_string(), &request)),
        (
            "response",
            message("{\"error\":\"unsupported_grant_type\"}", &response),
        ),
    ])
}

const SECRET: &str = "Zx8Qw3Er5Ty7Ui9Op1As2Df4Gh6";

#[test]
fn what_other_tools_recorded_is_explained_and_imported() {
    let here = tempfile::tempdir().expect("a directory");
    for (name, text) in [("session.har", har()), ("flows.mitm", flow())] {
        std::fs::write(here.path().join(name), text).expect("written");
        let told = lines(here.path(), &["explain", name, "--json"]);
        let rules: Vec<_> = told[0]["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .map(|finding| &finding["rule"])
            .collect();
        assert!(
            rules.contains(&&json!("token-body-json")),
            "{name}: {rules:?}"
        );
        let out = format!("{name}.yaml");
        let output = authtape(here.path(), &["import", name, "-o", &out]);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", said(&output));
        let cassette = std::fs::read_to_string(here.path().join(&out)).expect("written");
        assert!(!cassette.contains(SECRET), "{name}: {cassette}");
        assert!(!said(&output).contains(SECRET), "{name}");
        let lacks = said(&output).contains("no entry has Cookie");
        assert_eq!(lacks, name == "session.har", "{name}: {}", said(&output));
        let again = lines(here.path(), &["explain", &out, "--json"]);
        assert_eq!(again[0]["findings"], told[0]["findings"], "{name}");
        let audit = authtape(here.path(), &["audit", &out]);
        assert_eq!(audit.status.code(), Some(0), "{name}: {}", said(&audit));
        let output = authtape(here.path(), &["import", name, "-o", &out]);
        assert_eq!(output.status.code(), Some(3), "{name}: it exists");
    }
}

#[test]
fn labels_stay_what_they_are_and_what_holds_nothing_of_oauth_leaves_no_file() {
    let here = tempfile::tempdir().expect("a directory");
    let label = "REDACTED-client_secret-7";
    std::fs::write(here.path().join("again.har"), har().replace(SECRET, label)).expect("written");
    let output = authtape(here.path(), &["import", "again.har", "-o", "again.yaml"]);
    let told = said(&output);
    assert!(told.starts_with("authtape: 1 entry, 1 of OAuth"), "{told}");
    let cassette = std::fs::read_to_string(here.path().join("again.yaml")).expect("written");
    assert!(cassette.contains(label), "{cassette}");
    let page = har().replace("/token", "/style.css").replace("POST", "GET");
    let page = page.replace("grant_type", "x").replace("client_", "y_");
    std::fs::write(here.path().join("page.har"), page).expect("written");
    let output = authtape(here.path(), &["import", "page.har", "-o", "page.yaml"]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.starts_with("authtape: 1 entry, 0 of OAuth"), "{told}");
    assert!(!here.path().join("page.yaml").exists());
}
