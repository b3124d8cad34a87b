//! The audit of a whole file: as any text, and as the cassette that it may be.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::cassette::load::version_line;
use crate::cassette::searchable::Searchable;
use crate::cassette::{Cassette, load};
use crate::redact::{self, AuditHit, Columns, Profile, STAND, Stray, check};

/// What the audit says of a file.
#[derive(Debug)]
pub struct Audit {
    /// What looks like a secret.
    pub hits: Vec<AuditHit>,
    /// It is a cassette that was edited after the audit that its stamp is of; one without a stamp was
    /// not.
    pub is_edited: bool,
    /// It says that it is a cassette, but does not load: it was searched as any other text.
    pub is_unloaded: bool,
    /// There are bytes in it that are no text; what stands between them was searched.
    pub has_zeros: bool,
}

/// Searches a file as [`audit()`] does, packed by gzip or zstd or in UTF-16 as it may be; `None` where
/// there is no text in it that could be searched.
pub fn audit_bytes(bytes: &[u8]) -> Option<Audit> {
    let Searchable { text, has_zeros } = Searchable::of(bytes)?;
    Some(Audit {
        has_zeros,
        ..audit(&text)
    })
}

/// Searches a file for what looks like a secret; in a cassette every value that stands without a
/// label where a recorder would have put one is found, too, and in recordings of other tools what
/// is random and what tells who somebody is.
pub fn audit(text: &str) -> Audit {
    match load(text.as_bytes()) {
        Ok(cassette) => Audit {
            hits: of_cassette(text, &cassette),
            is_edited: cassette
                .header
                .audit
                .is_some_and(|stamp| !stamp.is_of(text)),
            is_unloaded: false,
            has_zeros: false,
        },
        Err(_) => Audit {
            hits: of_any(text),
            is_edited: false,
            is_unloaded: says_cassette(text),
            has_zeros: false,
        },
    }
}

fn of_any(text: &str) -> Vec<AuditHit> {
    let mut hits = if redact::is_recording(text) {
        redact::audit_recording(text)
    } else {
        redact::audit(text)
    };
    hits.extend(mark(text).map(raw));
    hits
}

fn of_cassette(text: &str, cassette: &Cassette) -> Vec<AuditHit> {
    let mut hits = redact::audit(text);
    if cassette.header.profile == Profile::Raw {
        hits.push(raw(mark(text).unwrap_or(0)));
    }
    let seen: BTreeSet<_> = hits.iter().map(|hit| hit.line).collect();
    let mut lines = Lines::of(text);
    for (at, interaction) in cassette.interactions.iter().enumerate() {
        lines.go_to(at, cassette.interactions.len());
        let strays = check(interaction, cassette.header.profile, &[]);
        let found = strays.iter().map(|stray| lines.hit(stray));
        hits.extend(found.filter(|hit| !seen.contains(&hit.line)));
    }
    hits.sort_by_key(|hit| (hit.line, hit.column));
    hits
}

fn raw(line: usize) -> AuditHit {
    AuditHit {
        line: line + 1,
        column: 1,
        kind: "recording that is not redacted".to_owned(),
    }
}

/// The line of the header, counted from 0, that says that nothing was redacted, however that is
/// quoted.
fn mark(text: &str) -> Option<usize> {
    let mark = format!("profile:{}", Profile::Raw);
    let mut head = text.lines().take_while(|line| *line != "interactions:");
    head.position(|line| {
        let said = line.split('#').next().unwrap_or_default();
        said.replace(['"', '\'', ' ', '\t'], "") == mark
    })
}

/// Whether the first line that says anything is the version of a cassette.
fn says_cassette(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}');
    let version = version_line(text).and_then(|(_, line)| line.split_once(':'));
    version.is_some_and(|(key, version)| {
        let version = version.trim();
        key.trim_matches(['"', '\'']) == "authtape"
            && !version.is_empty()
            && version.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The lines of a cassette, to find strays in.
struct Lines<'a> {
    text: &'a str,
    /// Where each line begins.
    begins: Vec<usize>,
    /// Where each interaction begins, as far as they are written as anybody writes them.
    entries: Vec<usize>,
    /// The interaction that is looked at.
    entry: Range<usize>,
    /// Where its last stray ends: they come much as they stand.
    at: usize,
    /// The number of the last stray's line, and its columns.
    columns: (usize, Columns<'a>),
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        let begins: Vec<_> = std::iter::once(0).chain(ends).collect();
        let is = |begin: &usize, what: &str| text[*begin..].starts_with(what);
        let list = begins
            .iter()
            .skip_while(|begin| !is(begin, "interactions:"));
        let entries = list.filter(|begin| is(begin, "- ")).copied().collect();
        Self {
            text,
            begins,
            entries,
            entry: 0..0,
            at: 0,
            columns: (0, Columns::of("")),
        }
    }

    /// Goes to one of so many interactions; where not each is told from the others, all of the
    /// text is looked at.
    fn go_to(&mut self, number: usize, count: usize) {
        let end = self.text.len();
        self.entry = match self.entries.get(number) {
            Some(begin) if self.entries.len() == count => {
                *begin..*self.entries.get(number + 1).unwrap_or(&end)
            }
            _ => 0..end,
        };
        self.at = self.entry.start;
    }

    fn hit(&mut self, stray: &Stray) -> AuditHit {
        let literal = stray.value.split(STAND).max_by_key(|piece| piece.len());
        let literal = literal.unwrap_or_default();
        let find = |from: usize| {
            let rest = &self.text.as_bytes()[from..self.entry.end];
            let at = memchr::memmem::find(rest, literal.as_bytes());
            at.map(|at| from + at).filter(|_| !literal.is_empty())
        };
        let found = find(self.at).or_else(|| find(self.entry.start));
        let at = found.unwrap_or(self.entry.start);
        self.at = found.map_or(self.at, |at| at + literal.len());
        let number = self.begins.partition_point(|begin| *begin <= at) - 1;
        let begin = self.begins[number];
        if self.columns.0 != number {
            let line = self.text[begin..].lines().next().unwrap_or_default();
            self.columns = (number, Columns::of(line));
        }
        AuditHit {
            line: number + 1,
            column: self.columns.1.at(at - begin),
            kind: format!("{} without a label", stray.kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &str = "authtape: 1\nrecorded_by: authtape/0.1.0\nrecorded_at: \"2026-11-23T10:02:11Z\"\nprofile: raw\ninteractions:\n\n- id: 1\n  step: token_request\n  at: 0.000\n  request:\n    method: POST\n    url: https://idp.example/token\n    http: \"1.1\"\n    form:\n    - password: REDACTED-password-1\n    framing: length\n  response:\n    status: 200\n    after: 0.010\n    body: empty\n  secrets:\n    password-1: {value: sunshine}\n# end 1\n";

    #[test]
    fn what_is_not_redacted_is_found_however_it_says_so() {
        for (mark, line, is_loaded) in [
            ("profile: raw", 4, true),
            ("profile: \"raw\"", 4, true),
            ("profile: 'raw'", 4, true),
            ("\"profile\": raw", 4, true),
            ("profile:   raw # mine", 4, true),
            ("profile:\n  raw", 1, true),
            ("profile: \"raw\"\nunheard_of: 1", 4, false),
        ] {
            let text = RAW.replace("profile: raw", mark);
            let loaded = load(text.as_bytes());
            assert_eq!(loaded.is_ok(), is_loaded, "{mark}: {loaded:?}");
            let hits = audit(&text).hits;
            let hit = hits
                .iter()
                .find(|hit| hit.kind == "recording that is not redacted");
            assert_eq!(hit.map(|hit| hit.line), Some(line), "{mark}: {hits:?}");
        }
        let other = RAW.replace("profile: raw", "server: raw");
        assert!(
            audit(&other)
                .hits
                .iter()
                .all(|hit| !hit.kind.starts_with("recording"))
        );
    }

    #[test]
    fn a_text_that_says_it_is_a_cassette_is_told_from_others() {
        let head = "authtape: 1\nrecorded_by: authtape/0.1.0\n";
        for (text, expected) in [
            (head.to_owned(), true),
            (format!("\u{feff}# mine\n\n---\n{head}"), true),
            (head.replace("authtape: 1", "\"authtape\": 99 # new"), true),
            (RAW.replace("id: 1", "id: one"), true),
            (RAW.to_owned(), false),
            (format!("log:\n{head}"), false),
            ("authtape: 3 interactions in x.yaml\n".to_owned(), false),
            ("authtape:\n".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(audit(&text).is_unloaded, expected, "{text}");
        }
    }

    #[test]
    fn strays_are_found_in_their_own_interaction_however_they_are_written() {
        let head = RAW.split("profile").next().expect("a head");
        let entry = |id: u32| {
            let entry = RAW.split("\n\n").nth(1).expect("an entry");
            let entry = entry.split("  secrets:").next().expect("an entry");
            entry.replace("id: 1", &format!("id: {id}")).replace(
                "    - password: REDACTED-password-1\n",
                "    - scope: Doering\n    - scope: openid Doering\n",
            )
        };
        let text = format!("{head}interactions:\n{}{}", entry(1), entry(2));
        let indented = text.replace("- id: 2", "-\n  id: 2");
        for (text, expected) in [
            (&text, [(13, 14), (14, 21), (28, 14), (29, 21)]),
            (&indented, [(13, 14), (14, 21), (13, 14), (14, 21)]),
        ] {
            load(text.as_bytes()).expect("a cassette");
            let hits: Vec<_> = audit(text)
                .hits
                .iter()
                .map(|hit| (hit.line, hit.column))
                .collect();
            let mut expected = expected;
            expected.sort_unstable();
            assert_eq!(hits, expected, "{text}");
        }
    }

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
            let hits = audit(&text).hits;
            let hit = hits
                .first()
                .map(|hit| (hit.line, hit.column, hit.kind.as_str()));
            assert_eq!(hit, expected, "{form}");
        }
    }
}
