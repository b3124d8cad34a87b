//! YAML of a tree, for readers that retype what is not quoted: every text is.

use serde_json::Value;

use crate::redact::{inert, quote};

/// A document: what stands before a list, its items, one after the other, and what stands behind it.
pub(super) fn yaml(
    before: &Value,
    list: &str,
    items: impl Iterator<Item = Value>,
    behind: &Value,
) -> String {
    let mut out = String::from("---\n");
    write(&mut out, before, 0);
    let begin = out.len();
    out.push_str(list);
    out.push_str(":\n");
    let empty = out.len();
    items.for_each(|item| write(&mut out, &Value::Array(vec![item]), 0));
    if out.len() == empty {
        out.truncate(begin);
        out.push_str(list);
        out.push_str(": []\n");
    }
    write(&mut out, behind, 0);
    out
}

/// A list alone, its items set apart.
pub(super) fn items(items: impl Iterator<Item = Value>) -> String {
    let mut out = String::new();
    for item in items {
        out.push('\n');
        write(&mut out, &Value::Array(vec![item]), 0);
    }
    out
}

/// One document of several.
pub(super) fn document(value: &Value) -> String {
    let mut out = String::from("---\n");
    write(&mut out, value, 0);
    out
}

fn write(out: &mut String, value: &Value, indent: usize) {
    let blanks = " ".repeat(indent);
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                out.push_str(&blanks);
                out.push_str(&key(name));
                out.push(':');
                inner(out, value, indent);
            }
        }
        Value::Array(items) => {
            for item in items {
                out.push_str(&blanks);
                out.push('-');
                // A map goes on in the line of its dash.
                if let (Value::Object(members), false) = (item, is_plain(item)) {
                    let mut text = String::new();
                    write(&mut text, &members.clone().into(), indent + 2);
                    out.push(' ');
                    out.push_str(text.trim_start());
                } else {
                    inner(out, item, indent);
                }
            }
        }
        plain => {
            out.push_str(&blanks);
            out.push_str(&scalar(plain));
            out.push('\n');
        }
    }
}

fn inner(out: &mut String, value: &Value, indent: usize) {
    if is_plain(value) {
        out.push(' ');
        out.push_str(&scalar(value));
        out.push('\n');
    } else {
        out.push('\n');
        let deeper = if value.is_array() { indent } else { indent + 2 };
        write(out, value, deeper);
    }
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => inert(&quote(text)).into_owned(),
        other => other.to_string(),
    }
}

/// A key is plain where no reader takes it for something else.
fn key(name: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_word);
    let retyped = ["n", "no", "null", "off", "on", "true", "false", "y", "yes"];
    if is_plain && !retyped.contains(&name.to_ascii_lowercase().as_str()) {
        name.to_owned()
    } else {
        inert(&quote(name)).into_owned()
    }
}
