//! Findings as SARIF 2.1.0, for code scanning services and editors.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::diagnose::{self, Evidence, Finding, Findings, Rule, Severity};

/// One run over any number of cassettes.
#[derive(Default)]
pub struct Sarif {
    results: Vec<Value>,
    not_read: Vec<Value>,
}

impl Sarif {
    /// Adds the findings of a cassette; `line_of` says where an interaction begins in its file,
    /// where that is a cassette.
    pub fn add(&mut self, findings: &Findings, name: &str, line_of: impl Fn(u64) -> Option<u64>) {
        let results = findings.iter().map(|finding| {
            let places = finding.evidence.iter();
            let places: Vec<_> = places
                .map(|place| location(place, name, &line_of))
                .collect();
            result(finding, &places, name)
        });
        self.results.extend(results);
    }

    /// Adds a file that could not be read.
    pub fn add_not_read(&mut self, name: &str, why: &str) {
        self.not_read.push(json!({
            "level": "error",
            "message": { "text": why },
            "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(name) } } }],
        }));
    }

    /// The document.
    pub fn text(&self) -> String {
        let rules: Vec<_> = diagnose::all().map(rule).collect();
        let document = json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "authtape",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                }},
                "columnKind": "unicodeCodePoints",
                "invocations": [{
                    "executionSuccessful": self.not_read.is_empty(),
                    "toolExecutionNotifications": self.not_read,
                }],
                "results": self.results,
            }],
        });
        format!("{document:#}\n")
    }
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": rule.why },
        "help": { "text": format!("{}. See {}.", rule.fix, rule.see.join(", ")) },
        "defaultConfiguration": { "level": rule.severity.as_str() },
        "properties": { "tier": rule.tier },
    })
}

/// The last place is where it went wrong; what it is held against comes before.
fn result(finding: &Finding, places: &[Value], name: &str) -> Value {
    let place = places.last().cloned().unwrap_or_else(
        || json!({ "physicalLocation": { "artifactLocation": { "uri": uri(name) } } }),
    );
    let before = &places[..places.len().saturating_sub(1)];
    let related: Vec<_> = (0..)
        .zip(before)
        .map(|(id, place)| {
            let mut place = place.clone();
            place["id"] = json!(id);
            place
        })
        .collect();
    let mut fields = BTreeMap::from([
        ("ruleId", json!(finding.rule.id)),
        ("level", json!(finding.severity.as_str())),
        (
            "message",
            json!({ "text": format!("{}; to mend it: {}", finding.message, finding.fix) }),
        ),
        ("locations", json!([place])),
    ]);
    if !related.is_empty() {
        fields.insert("relatedLocations", json!(related));
    }
    // A finding that is only a remark must not fail a check.
    if finding.severity == Severity::Note {
        fields.insert("kind", json!("informational"));
        fields.insert("level", json!("none"));
    }
    json!(fields)
}

fn location(place: &Evidence, name: &str, line_of: impl Fn(u64) -> Option<u64>) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(name) } });
    if let Some(line) = line_of(place.interaction) {
        physical["region"] = json!({ "startLine": line });
    }
    let text = format!(
        "interaction {}, {}: {}",
        place.interaction, place.r#where, place.value
    );
    json!({ "physicalLocation": physical, "message": { "text": text } })
}

/// A path as a relative reference (RFC 3986), with slashes whatever the system writes.
fn uri(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~:".contains(&byte);
    name.replace('\\', "/")
        .bytes()
        .map(|byte| {
            if is_plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_stands_where_it_went_wrong_and_a_note_fails_no_check() {
        let rule = diagnose::find("token-body-json").expect("a rule");
        let finding = |severity| Finding {
            severity,
            evidence: vec![
                Evidence::new(1, "authorize", "a"),
                Evidence::new(2, "token", "b"),
            ],
            ..Finding::of(rule)
        };
        let mut findings = Findings::default();
        findings.raise_ungraded(finding(Severity::Error));
        findings.raise_ungraded(finding(Severity::Note));
        let mut sarif = Sarif::default();
        sarif.add(&findings, "x.yaml", |id| (id == 2).then_some(30));
        let [error, note] = sarif.results.as_slice() else {
            panic!("two results");
        };
        let place = &error["locations"][0]["physicalLocation"];
        assert_eq!(place["region"]["startLine"], 30);
        let before = &error["relatedLocations"];
        assert_eq!(before.as_array().map(Vec::len), Some(1));
        assert_eq!(before[0]["id"], 0);
        assert_eq!(before[0]["message"]["text"], "interaction 1, authorize: a");
        assert!(before[0]["physicalLocation"].get("region").is_none());
        assert_eq!(
            (&error["level"], error.get("kind")),
            (&json!("error"), None)
        );
        assert_eq!(
            (&note["level"], &note["kind"]),
            (&json!("none"), &json!("informational"))
        );
    }

    #[test]
    fn a_path_is_written_as_a_reference() {
        for (name, expected) in [
            ("a/b.yaml", "a/b.yaml"),
            ("a b#1.yaml", "a%20b%231.yaml"),
            ("c\\d.yaml", "c/d.yaml"),
            ("ü", "%C3%BC"),
        ] {
            assert_eq!(uri(name), expected);
        }
    }
}
