//! Every rule has its pages, its cases, and the words that people read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use authtape::cassette::{self, Cassette};
use authtape::diagnose::report::{self, Look};
use authtape::diagnose::{self, Severity};

fn files(root: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(root)];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn load(path: &Path, text: &str) -> Cassette {
    cassette::load(text.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn raised(cassette: &Cassette) -> String {
    let findings = diagnose::diagnose(cassette);
    let word = |finding: &diagnose::Finding| match (finding.severity, finding.rule.severity) {
        (Severity::Note, Severity::Error | Severity::Warning) => {
            format!("{} (note)", finding.rule.id)
        }
        _ => finding.rule.id.to_owned(),
    };
    let ids: Vec<_> = findings.iter().map(word).collect();
    if ids.is_empty() {
        "nothing".to_owned()
    } else {
        ids.join(", ")
    }
}

#[test]
fn each_case_raises_what_it_says_and_nothing_else() {
    let mut fired = BTreeSet::new();
    let mut silent = BTreeSet::new();
    let mut wrong = Vec::new();
    for path in files("tests/rules") {
        let rule = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .replace('_', "-");
        assert!(
            diagnose::find(&rule).is_some(),
            "{}: no such rule",
            path.display()
        );
        let text = std::fs::read_to_string(&path).expect("a case file");
        for case in text.split("---\n") {
            let says = |key: &str| {
                case.lines()
                    .find_map(|line| line.strip_prefix(key))
                    .unwrap_or_else(|| panic!("{}: no `{key}`", path.display()))
            };
            let (shows, raises) = (says("# shows: "), says("# raises: "));
            let raised = raised(&load(&path, case));
            if raised != raises {
                wrong.push(format!("{rule}, {shows}: {raised}, not {raises}"));
            }
            let fires = raises.split(", ").any(|id| id == rule);
            if fires {
                fired.insert(rule.clone())
            } else {
                silent.insert(rule.clone())
            };
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let all: BTreeSet<String> = diagnose::all().map(|rule| rule.id.to_owned()).collect();
    assert_eq!(fired, all, "a case that fires for each rule");
    assert_eq!(silent, all, "a near miss for each rule");
}

fn is_clause(see: &str) -> bool {
    let standards = ["RFC ", "OAuth 2.0 ", "OpenID Connect "];
    standards.iter().any(|standard| see.starts_with(standard))
}

#[test]
fn every_rule_has_its_pages() {
    let mut ids = BTreeSet::new();
    for rule in diagnose::all() {
        assert!(ids.insert(rule.id), "{} is there twice", rule.id);
        assert!(
            rule.id
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{}",
            rule.id
        );
        for (field, text) in [
            ("summary", rule.summary),
            ("why", rule.why),
            ("fix", rule.fix),
            ("example", rule.example),
        ] {
            assert!(text.len() > 10, "{}: {field} is missing", rule.id);
        }
        assert!(
            !rule.see.is_empty() && rule.see.iter().all(|see| is_clause(see)),
            "{}: see",
            rule.id
        );
        assert!(
            !rule.summary.ends_with('.') && !rule.summary.starts_with(char::is_uppercase),
            "{}: summary",
            rule.id
        );
    }
    insta::assert_snapshot!(
        "rule ids",
        diagnose::all()
            .map(|rule| rule.id)
            .collect::<Vec<_>>()
            .join("\n")
    );
}

#[test]
fn the_sessions_of_the_thread_are_explained_in_these_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in files("cassettes/accounts.example.com") {
        let text = std::fs::read_to_string(&path).expect("a cassette");
        let cassette = load(&path, &text);
        let findings = diagnose::diagnose(&cassette);
        let name = path
            .strip_prefix(root)
            .expect("inside")
            .display()
            .to_string();
        let stem = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        insta::assert_snapshot!(
            stem,
            report::text(&findings, &cassette, &name, Look::default())
        );
    }
}

#[test]
fn the_json_of_explain_and_rules_keeps_its_contract() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("cassettes/accounts.example.com/thread-redirect-slash.yaml");
    let text = std::fs::read_to_string(&path).expect("a cassette");
    let cassette = load(&path, &text);
    let findings = diagnose::diagnose(&cassette);
    let json: serde_json::Value =
        serde_json::from_str(&report::json(&findings, &cassette, "x.yaml")).expect("JSON");
    insta::assert_snapshot!(
        "explain json",
        serde_json::to_string_pretty(&json).expect("JSON")
    );
    let json: serde_json::Value =
        serde_json::from_str(&report::rules_json(diagnose::all())).expect("JSON");
    let keys: Vec<_> = json["rules"][0]
        .as_object()
        .expect("a rule")
        .keys()
        .cloned()
        .collect();
    assert_eq!(
        keys,
        [
            "id", "severity", "tier", "summary", "why", "fix", "see", "example"
        ]
    );
}

#[test]
fn the_page_of_all_rules_is_that_of_today() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let page = report::rules_markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("written");
    }
    let written = std::fs::read_to_string(&path).expect("docs/rules.md");
    assert_eq!(
        written, page,
        "UPDATE_DOCS=1 cargo test --test it rules writes it"
    );
}

#[test]
fn no_shipped_cassette_looks_as_if_it_held_a_secret() {
    for path in files("cassettes") {
        let text = std::fs::read_to_string(&path).expect("a cassette");
        assert_eq!(authtape::redact::audit(&text), [], "{}", path.display());
        assert_eq!(
            cassette::write(&load(&path, &text)),
            text,
            "{} is not as it would be written",
            path.display()
        );
    }
}
