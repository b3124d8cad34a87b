//! The audit of a whole file: as any text, and as the cassette that it may be.

use crate::cassette::load;
use crate::redact::{self, AuditHit, Interaction, Profile, STAND, Stray, check};

/// Searches a file for what looks like a secret; in a cassette every value that stands without a
/// label where a recorder would have put one is found, too, and in recordings of other tools what
/// is random and what tells who somebody is.
pub fn audit(text: &str) -> Vec<AuditHit> {
    let head = text.lines().take_while(|line| *line != "interactions:");
    let raw = format!("profile: {}", Profile::Raw);
    let raw = head
        .into_iter()
        .position(|line| line.trim_end() == raw)
        .map(|line| AuditHit {
            line: line + 1,
            column: 1,
            kind: "recording that is not redacted".to_owned(),
        });
    let Ok(cassette) = load(text.as_bytes()) else {
        let mut hits = if redact::is_recording(text) {
            redact::audit_recording(text)
        } else {
            redact::audit(text)
        };
        hits.extend(raw);
        return hits;
    };
    let mut hits = redact::audit(text);
    hits.extend(raw);
    let strays = |interaction: &Interaction| {
        let from = line_of(text, 0, &format!("- id: {}", interaction.id())).unwrap_or(0);
        check(interaction, cassette.header.profile, &[])
            .iter()
            .map(|stray| hit(text, from, stray))
            .collect::<Vec<_>>()
    };
    let found = cassette.interactions.iter().flat_map(strays);
    let seen = hits.clone();
    hits.extend(found.filter(|hit| !seen.iter().any(|other| other.line == hit.line)));
    hits.sort_by_key(|hit| (hit.line, hit.column));
    hits
}

/// Whether a cassette was edited after the audit that its stamp is of; one without a stamp was not.
pub fn is_edited(text: &str) -> bool {
    let stamp = load(text.as_bytes())
        .ok()
        .and_then(|cassette| cassette.header.audit);
    stamp.is_some_and(|stamp| !stamp.is_of(text))
}

fn hit(text: &str, from: usize, stray: &Stray) -> AuditHit {
    let literal = stray.value.split(STAND).max_by_key(|piece| piece.len());
    let literal = literal.unwrap_or_default();
    let line = line_of(text, from, literal).unwrap_or(from);
    let at = text.lines().nth(line).and_then(|line| {
        let at = line.find(literal)?;
        Some(line[..at].chars().count())
    });
    AuditHit {
        line: line + 1,
        column: at.unwrap_or(0) + 1,
        kind: format!("{} without a label", stray.kind),
    }
}

/// The first line, counted from 0, that has the text, behind another.
fn line_of(text: &str, from: usize, part: &str) -> Option<usize> {
    text.lines()
        .skip(from)
        .position(|line| line.contains(part))
        .map(|line| line + from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cassette_holds_without_a_label_is_pointed_at() {
        let cassette = |form: &str| {
            format!(
                "authtape: 1\nrecorded_by: authtape/0.1.0\nrecorded_at: \"2026-11-23T10:02:11Z\"\ninteractions:\n\n- id: 1\n  step: token_request\n  at: 0.000\n  request:\n    method: POST\n    url: https://idp.example/token\n    http: \"1.1\"\n    headers:\n    - Host: idp.example\n    form:\n{form}    framing: length\n  response:\n    status: 200\n    after: 0.010\n    body: empty\n# end 1\n"
            )
        };
        for (form, expected) in [
            (
                "    - grant_type: password\n    - password: REDACTED-password-1\n",
                None,
            ),
            (
                "    - grant_type: password\n    - password: sunshine\n",
                Some((17, 17, "password without a label")),
            ),
            (
                "    - unheard_of: REDACTED-value-1--end--Cn7kQ9zR2v\n",
                Some((16, 42, "value without a label")),
            ),
            (
                "    - scope: openid Doering\n",
                Some((16, 21, "word without a label")),
            ),
        ] {
            let text = cassette(form);
            load(text.as_bytes()).expect("a cassette");
            let hits = audit(&text);
            let hit = hits
                .first()
                .map(|hit| (hit.line, hit.column, hit.kind.as_str()));
            assert_eq!(hit, expected, "{form}");
        }
    }
}
