//! The requests as a shell script of curl: every text in single quotes, every secret from the environment.

use std::collections::BTreeSet;

use crate::export::message::{Message, Messages};
use crate::redact::{Piece, pieces};

/// The script. What no shell should be given is left out.
pub(super) fn write(messages: &mut Messages) -> String {
    let mut secrets = BTreeSet::new();
    let (mut commands, mut left_out) = (String::new(), Vec::new());
    for message in &messages.all {
        match command(message, &mut secrets) {
            Ok(command) => commands += &command,
            Err(why) => left_out.push(format!("request {}, which has {why}", message.id)),
        }
    }
    messages.left_out.extend(left_out);
    let needed = secrets.iter();
    let needed = needed.map(|name| format!(": \"${{{name}:?}}\"\n"));
    let needed: String = needed.collect();
    let about = if needed.is_empty() {
        ""
    } else {
        "# What the labels stood for is to be set before.\n"
    };
    format!("#!/bin/sh\nset -eu\n{about}{needed}{commands}")
}

fn command(message: &Message, secrets: &mut BTreeSet<String>) -> Result<String, &'static str> {
    // The path is sent as it is, dots and all.
    let mut words = vec!["curl --globoff --path-as-is".to_owned()];
    match message.method.as_str() {
        // Otherwise it waits for the body of the answer.
        "HEAD" => words.push("--head".to_owned()),
        method => words.extend(["--request".to_owned(), word(method, secrets, false)?]),
    }
    for field in &message.headers {
        if message.basic.is_some() && field.name.eq_ignore_ascii_case("authorization") {
            continue;
        }
        // A name with nothing behind its colon would take the field away.
        let line = match field.value.as_str() {
            "" => format!("{};", field.name),
            value => format!("{}: {value}", field.name),
        };
        // A file is read where it begins so.
        if line.starts_with('@') {
            return Err("a header field whose name begins with `@`");
        }
        words.extend(["\\\n  --header".to_owned(), word(&line, secrets, false)?]);
    }
    if let Some((user, password)) = &message.basic {
        words.extend([
            "\\\n  --user".to_owned(),
            word(&format!("{user}:{password}"), secrets, false)?,
        ]);
    }
    if !message.body.is_empty() {
        if message.media_type().is_none() {
            // It would say that it is a form.
            words.push("\\\n  --header 'Content-Type:'".to_owned());
        }
        // No byte of it means anything to curl.
        words.extend([
            "\\\n  --data-raw".to_owned(),
            word(&message.body, secrets, true)?,
        ]);
    }
    words.extend([
        "\\\n  --url".to_owned(),
        word(&message.url, secrets, false)?,
    ]);
    Ok(format!("\n# {}\n{}\n", message.id, words.join(" ")))
}

/// A text as one word of a shell, its labels as variables.
fn word(text: &str, secrets: &mut BTreeSet<String>, is_body: bool) -> Result<String, &'static str> {
    let is_refused = |c: char| c.is_control() && !(is_body && "\n\r\t".contains(c));
    if text.contains(is_refused) {
        return Err("control characters");
    }
    let mut out = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Literal(text) => out += &quoted(&text),
            Piece::Label(label) => {
                let name = variable(&label.to_string());
                out.extend(["\"${", name.as_str(), "}\""]);
                secrets.insert(name);
            }
        }
    }
    Ok(if out.is_empty() { "''".to_owned() } else { out })
}

/// A text in single quotes, in which nothing means anything.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// `REDACTED-client_secret-1` as a variable: `CLIENT_SECRET_1`.
fn variable(label: &str) -> String {
    let (_, name) = label.split_once('-').unwrap_or(("", label));
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    name.chars().map(letter).collect()
}
