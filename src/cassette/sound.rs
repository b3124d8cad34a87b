//! What a cassette may not say although each of its values is one that the format has.

use std::collections::{BTreeMap, BTreeSet};

use crate::cassette::{Cassette, Error};
use crate::redact::{Content, DropReason, Interaction, Profile, RecordedResponse};

/// Refuses interactions that nobody could have recorded or could play.
pub(super) fn check(text: &str, interactions: &[Interaction]) -> Result<(), Error> {
    check_statuses(text, interactions)?;
    check_forms(text, interactions)
}

/// Refuses a status that ends no request (RFC 9110 section 15): its client would wait on.
fn check_statuses(text: &str, interactions: &[Interaction]) -> Result<(), Error> {
    let is_final = |status: &u16| *status == 101 || (200..600).contains(status);
    let mut statuses = interactions
        .iter()
        .filter_map(|interaction| interaction.response())
        .map(RecordedResponse::status);
    let Some(status) = statuses.find(|status| !is_final(status)) else {
        return Ok(());
    };
    // The first place where it could stand; a text that says so before is no status to its reader.
    let written = |line: &str| {
        let value = line.split("status:").nth(1)?;
        let digits = value.trim_start().trim_start_matches(['"', '\'']);
        let digits = digits.split(|c: char| !c.is_ascii_digit()).next()?;
        (digits.parse() == Ok(status)).then_some(())
    };
    let at = text.lines().position(|line| written(line).is_some());
    Err(Error::Format {
        line: at.unwrap_or_default() as u64 + 1,
        column: 1,
        message: format!(
            "status {status} ends no request; write the final status of the answer, 200 to 599, or 101"
        ),
    })
}

/// Refuses forms beside a body that is no page: which of the two is to be played?
fn check_forms(text: &str, interactions: &[Interaction]) -> Result<(), Error> {
    let is_page = |response: &RecordedResponse| {
        let content = response.content();
        matches!(content, Content::Dropped(dropped) if dropped.dropped == DropReason::Page)
    };
    let has_forms = |interaction: &&Interaction| {
        let response = interaction.response();
        response.is_some_and(|response| !response.forms().is_empty() && !is_page(response))
    };
    let Some(wrong) = interactions.iter().find(has_forms) else {
        return Ok(());
    };
    let begin = line_of(text, wrong.id());
    let lines = (1..).zip(text.lines());
    let mut behind = lines.skip_while(|(number, _)| *number < begin);
    let at = behind.find(|(_, line)| line.trim_end() == "    forms:");
    Err(Error::Format {
        line: at.map_or(1, |(at, _)| at),
        column: 1,
        message: "forms stand only beside `body: {dropped: page, …}`; remove one of the two"
            .to_owned(),
    })
}

/// An interaction is named by its number wherever one is spoken of.
pub(super) fn check_ids(cassette: &Cassette, text: &str) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    let mut ids = cassette.interactions.iter().map(Interaction::id);
    let Some(twice) = ids.find(|id| !seen.insert(*id)) else {
        return Ok(());
    };
    Err(Error::Format {
        line: lines_of(text, twice).nth(1).unwrap_or(1),
        column: 1,
        message: format!("interaction {twice} is there twice; give each a number of its own"),
    })
}

/// What was not redacted must say so at the top, where everybody looks.
pub(super) fn check_raw(cassette: &Cassette, text: &str) -> Result<(), Error> {
    let mut raw = cassette.interactions.iter().filter(|one| one.is_raw());
    let Some(first) = raw
        .next()
        .filter(|_| cassette.header.profile != Profile::Raw)
    else {
        return Ok(());
    };
    Err(Error::Format {
        line: line_of(text, first.id()),
        column: 1,
        message: format!(
            "interaction {} holds what was not redacted, and the file does not say so; put `profile: raw` back below recorded_at",
            first.id()
        ),
    })
}

/// The line in which an interaction begins, as far as that is written as anybody writes it.
pub(super) fn line_of(text: &str, id: u64) -> u64 {
    lines_of(text, id).next().unwrap_or(1)
}

/// The lines in which the interactions begin, by their numbers.
pub fn lines_of_interactions(text: &str) -> BTreeMap<u64, u64> {
    let lines = (1..).zip(text.lines());
    let begun = |(at, line): (u64, &str)| {
        let id = line.strip_prefix("- id: ")?.trim_end().parse().ok()?;
        Some((id, at))
    };
    lines.filter_map(begun).collect()
}

fn lines_of(text: &str, id: u64) -> impl Iterator<Item = u64> {
    let begins = format!("- id: {id}");
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(move |(_, line)| line.trim_end() == begins);
    lines.map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use crate::cassette::{load, load_entry};

    #[test]
    fn a_status_that_ends_no_request_is_refused_with_its_line() {
        let head = "authtape: 1\nrecorded_by: other/1\nrecorded_at: \"2026-11-23T10:02:11Z\"\ninteractions:\n";
        let entry = "- id: 1\n  step: token_request\n  at: 0.0\n  request:\n    method: GET\n    url: https://as.example/token\n    http: \"1.1\"\n  response:\n    status: STATUS\n    after: 0.1\n";
        for (status, is_final) in [
            (0, false),
            (99, false),
            (100, false),
            (101, true),
            (103, false),
            (199, false),
            (200, true),
            (599, true),
            (600, false),
            (999, false),
        ] {
            let entry = entry.replace("STATUS", &status.to_string());
            let good = entry
                .replace(&format!("status: {status}\n"), "status: 200\n")
                .replace("id: 1\n", "id: 2\n");
            let text = format!("{head}{good}{entry}");
            let told = load(text.as_bytes()).map(|cassette| cassette.interactions.len());
            match told {
                Ok(count) => assert!(is_final && count == 2, "{status}"),
                Err(error) => {
                    let told = error.to_string();
                    assert!(!is_final, "{status}: {told}");
                    assert!(told.starts_with("line 23, "), "{status}: {told}");
                    assert!(told.contains("200 to 599"), "{status}: {told}");
                    assert!(load_entry(&entry).is_err(), "{status}");
                }
            }
        }
    }
    #[test]
    fn forms_are_read_and_what_is_wrong_with_them_is_told_with_its_line() {
        let head = "authtape: 1\nrecorded_by: other/1\nrecorded_at: \"2026-11-23T10:02:11Z\"\ninteractions:\n- id: 1\n  step: login_page\n  at: 0.0\n  request:\n    method: GET\n    url: https://as.example/login\n    http: \"1.1\"\n  response:\n    status: 200\n    after: 0.1\n";
        let page = "    body: {dropped: page, size: 64, sniff: html}\n";
        let form = "    forms:\n    - method: post\n      action: /login\n      fields:\n      - csrf: {type: hidden, value: REDACTED-csrf-1}\n";
        let text = format!("{head}{page}{form}");
        let cassette = load(text.as_bytes()).expect("a cassette");
        let forms = cassette.interactions[0]
            .response()
            .map(|response| response.forms().len());
        assert_eq!(forms, Some(1));
        assert_eq!(
            load(crate::cassette::write(&cassette).as_bytes()).expect("itself"),
            cassette
        );
        for (from, to, line) in [
            ("method: post", "method: put", 17),
            ("type: hidden", "type: secret", 20),
            ("      action: /login\n", "", 18),
            ("value: REDACTED", "values: REDACTED", 20),
            ("      fields:", "      inputs:", 19),
            (page, "    text: a page\n", 16),
            (page, "", 15),
        ] {
            let told = load(text.replace(from, to).as_bytes()).map(|_| ());
            let told = told.expect_err(to).to_string();
            assert!(told.starts_with(&format!("line {line}, ")), "{to}: {told}");
        }
    }
}
