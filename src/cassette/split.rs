//! A cassette in parts, each of which can be read for itself.

use std::ops::Range;

use crate::cassette::{Header, load};

/// Where each interaction stands in the text of a cassette that is as a recording left it.
pub struct Split {
    /// What stands before the interactions.
    pub header: Header,
    /// The interactions, in order.
    pub entries: Vec<Range<usize>>,
}

/// Splits the text of a cassette; `None` where it may have been edited since it was audited, so
/// that it must be read whole by [`crate::cassette::load()`], which knows what is wrong with it.
pub fn split(text: &str) -> Option<Split> {
    let begin = text.find(BEGIN)? + BEGIN.len();
    let header = load(&text.as_bytes()[..begin]).ok()?.header;
    let is_ours = header.recorded_by == Header::begun(String::new()).recorded_by;
    let is_as_left = header.audit.as_ref().is_some_and(|stamp| stamp.is_of(text));
    if !is_ours || !is_as_left {
        return None;
    }
    let entries = entries(text)?;
    Some(Split { header, entries })
}

/// Where each interaction stands in a text that a recording wrote, finished or not; `None` where it
/// did not.
pub fn entries(text: &str) -> Option<Vec<Range<usize>>> {
    let mut entries = Vec::new();
    let mut from = text.find(BEGIN)? + BEGIN.len();
    for at in memchr::memmem::find_iter(text.as_bytes(), END) {
        let behind = at + END.len();
        let end = behind + memchr::memchr(b'\n', &text.as_bytes()[behind..])? + 1;
        if !text[from..].starts_with(ENTRY) {
            return None;
        }
        entries.push(from..end);
        from = end;
    }
    (from == text.len()).then_some(entries)
}

/// The end of the header, and how an interaction begins and ends.
const BEGIN: &str = "\ninteractions:\n";
const ENTRY: &str = "\n- id: ";
const END: &[u8] = b"\n# end ";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cassette::{Cassette, RULES, Stamp, load_entry, sum, write};

    fn recorded() -> String {
        let entry = |id: u32| {
            format!(
                "\n- id: {id}\n  step: token_request\n  at: 0.000\n  request:\n    method: POST\n    url: https://as.example/token\n    http: \"1.1\"\n    body: empty\n# end {id}\n"
            )
        };
        let head = "authtape: 1\nrecorded_by: other/1\nrecorded_at: \"2026-11-23T10:02:11Z\"\ninteractions:\n";
        let text = format!("{head}{}{}", entry(1), entry(2));
        let cassette = load(text.as_bytes()).expect("a cassette");
        let header = Header::begun(cassette.header.recorded_at.clone());
        let unstamped = Cassette { header, ..cassette };
        let audit = Some(Stamp {
            rules: RULES,
            secrets: 0,
            patterns: 0,
            depth: 4,
            hits: 0,
            sum: sum(&write(&unstamped)),
        });
        write(&Cassette {
            header: Header {
                audit,
                ..unstamped.header.clone()
            },
            ..unstamped
        })
    }

    #[test]
    fn what_a_recording_left_is_split_and_what_was_edited_is_not() {
        let text = recorded();
        let split_up = split(&text).expect("as it was left");
        let whole = load(text.as_bytes()).expect("a cassette");
        let parts = split_up.entries.into_iter();
        let parts = parts.map(|at| load_entry(&text[at]).expect("an interaction"));
        assert_eq!(parts.collect::<Vec<_>>(), whole.interactions);
        assert_eq!(split_up.header, whole.header);
        for (from, to) in [
            ("as.example", "at.example"),
            ("authtape/", "other/"),
            ("# end 2\n", ""),
            ("# end 2\n", "# end 2\n\n"),
        ] {
            assert!(split(&text.replace(from, to)).is_none(), "{from} {to}");
        }
    }
}
