//! Where an error text leads, for people and for programs.

use serde_json::json;

use crate::diagnose::report::{Look, line, style_of, wrapped};
use crate::diagnose::symptom::Symptom;

/// For a person.
pub fn symptoms(text: &str, found: &[&Symptom], look: Look) -> String {
    let mut out = String::new();
    if found.is_empty() {
        line(
            &mut out,
            &format!(
                "nothing is known of \"{text}\"; record the session, and `authtape explain` looks at what was really sent"
            ),
        );
        return out;
    }
    for symptom in found {
        wrapped(&mut out, "", (0, look.width), &format!("{}:", symptom.says));
        let all = symptom.rules().count();
        let rules: Vec<_> = symptom.rules().take(SHOWN).collect();
        let width = rules.iter().map(|rule| rule.id.len()).max();
        let width = width.unwrap_or_default();
        for rule in rules {
            let style = style_of(rule.severity, look.styled);
            let head = format!("  {style}{:<width$}{style:#}  ", rule.id);
            wrapped(&mut out, &head, (width + 4, look.width), rule.summary);
        }
        if all > SHOWN {
            line(
                &mut out,
                &format!("  and {} more; --json lists them all", all - SHOWN),
            );
        }
        out.push('\n');
    }
    line(
        &mut out,
        "`authtape rules ID` says how to mend one. An error text says that something failed, not what; to see\nwhat was sent:\n  authtape record login.yaml -- YOUR PROGRAM\n  authtape explain login.yaml",
    );
    out
}

/// How many rules are named of each symptom.
const SHOWN: usize = 8;

/// For a program: the contract of `explain --error TEXT --json`.
pub fn symptoms_json(text: &str, found: &[&Symptom]) -> String {
    let symptom = |symptom: &&Symptom| {
        let rules: Vec<_> = symptom.rules().map(|rule| rule.id).collect();
        json!({ "says": symptom.says, "rules": rules })
    };
    let found: Vec<_> = found.iter().map(symptom).collect();
    format!("{}\n", json!({ "error": text, "look_at": found }))
}
