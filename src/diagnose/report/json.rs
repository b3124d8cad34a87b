//! Findings and rules, for programs.

use serde_json::{Value, json};

use crate::cassette::{Cassette, Link};
use crate::diagnose::{Evidence, Finding, Findings, Rule, Severity, Unexplained};
use crate::redact::Interaction;

/// The findings of one cassette, in a line: the contract of `explain --format json`.
pub fn json(findings: &Findings, cassette: &Cassette, name: &str) -> String {
    let found: Vec<_> = findings.iter().map(finding).collect();
    let interactions = cassette.interactions.iter();
    let unanswered: Vec<_> = interactions.filter_map(unanswered).collect();
    let unexplained: Vec<_> = findings.unexplained().iter().map(unexplained).collect();
    let told = json!({
        "cassette": name,
        "errors": findings.count(Severity::Error),
        "warnings": findings.count(Severity::Warning),
        "notes": findings.count(Severity::Note),
        "findings": found,
        "unanswered": unanswered,
        "unexplained": unexplained,
    });
    format!("{told}\n")
}

/// The line of a file that could not be read.
pub fn not_read_json(name: &str, why: &str) -> String {
    format!("{}\n", json!({ "cassette": name, "not_read": why }))
}

fn finding(finding: &Finding) -> Value {
    let contrast = finding.contrast.as_ref();
    json!({
        "rule": finding.rule.id,
        "severity": finding.severity.as_str(),
        "tier": finding.rule.tier,
        "message": finding.message,
        "fix": finding.fix,
        "see": finding.rule.see,
        "probable": finding.link == Link::Weak,
        "evidence": finding.evidence.iter().map(evidence).collect::<Vec<_>>(),
        "parts_at": contrast.map(|contrast| json!({ "column": contrast.column, "words": contrast.words })),
    })
}

fn evidence(evidence: &Evidence) -> Value {
    json!({
        "interaction": evidence.interaction,
        "where": evidence.r#where,
        "value": evidence.value,
    })
}

fn unanswered(interaction: &Interaction) -> Option<Value> {
    let error = interaction.error()?;
    Some(json!({
        "interaction": interaction.id(),
        "step": interaction.step().as_str(),
        "error": error.kind().as_str(),
        "phase": error.phase().as_str(),
    }))
}

fn unexplained(refused: &Unexplained) -> Value {
    json!({
        "interaction": refused.interaction,
        "step": refused.step.as_str(),
        "status": refused.status,
        "error": refused.error,
        "error_description": refused.said,
    })
}

/// The rules: the contract of `rules --json`.
pub fn rules_json(rules: impl IntoIterator<Item = &'static Rule>) -> String {
    let rule = |rule: &'static Rule| {
        json!({
            "id": rule.id,
            "severity": rule.severity.as_str(),
            "tier": rule.tier,
            "summary": rule.summary,
            "why": rule.why,
            "fix": rule.fix,
            "see": rule.see,
            "example": rule.example,
        })
    };
    let rules: Vec<_> = rules.into_iter().map(rule).collect();
    format!("{}\n", json!({ "rules": rules }))
}
