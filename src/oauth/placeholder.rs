//! Values that were never filled in: words and templates that stand where a value should.

/// Whether the value is the text of a variable that was never filled in, as a word that can be no
/// secret.
pub fn is_placeholder_word(value: &str) -> bool {
    PLACEHOLDERS.contains(&value.to_ascii_lowercase().as_str())
}

/// Whether the value is a template that was never filled in.
pub fn is_template(value: &str) -> bool {
    let inner = |open, close| {
        value
            .strip_prefix(open)
            .and_then(|rest: &str| rest.strip_suffix(close))
    };
    let braces = inner("${", "}")
        .or_else(|| inner("{{", "}}"))
        .or_else(|| inner("<", ">"));
    let percent =
        inner("%", "%").filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
    let code = ["process.env", "os.environ"]
        .iter()
        .any(|start| value.starts_with(start));
    braces.or(percent).is_some_and(|name| !name.is_empty()) || code
}

/// Whether a value was a secret's before it was recorded: a cassette's label stands for it, so its
/// text says nothing of what was sent.
pub fn is_label(value: &str) -> bool {
    value.contains("REDACTED-")
}

/// Values that say that a variable was never filled in; none can be a secret.
const PLACEHOLDERS: &[&str] = &[
    "[object object]",
    "changeme",
    "client_id",
    "client_secret",
    "example",
    "nan",
    "none",
    "null",
    "undefined",
    "your-client-id",
    "your-client-secret",
    "your_client_id",
    "your_client_secret",
    "your_code",
    "your_secret",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_no_value() {
        for (value, expected) in [
            ("${CLIENT_SECRET}", true),
            ("{{secret}}", true),
            ("<your secret>", true),
            ("%CLIENT_ID%", true),
            ("process.env.SECRET", true),
            ("%2F", false),
            ("a{b}", false),
            ("${}", false),
        ] {
            assert_eq!(is_template(value), expected, "{value}");
        }
    }
}
