//! What is printed: results to standard output, everything else to standard error, and no control
//! character of foreign text to either.

use std::io::{IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use authtape::diagnose::report::Look;
pub(crate) use authtape::diagnose::report::plain;
use authtape::redact::inert;
use terminal_size::{Width, terminal_size_of};

/// Says a line to a person, on standard error.
pub(crate) fn say(line: &str) {
    anstream::eprintln!(
        "{}",
        line.replace(
            |c: char| c.is_control() && c != '\u{1b}' && c != '\t',
            "\u{fffd}"
        )
    );
}

/// Says an error with its causes, on standard error.
pub(crate) fn error(error: &anyhow::Error) {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    let style = AnsiColor::Red.on_default().bold();
    say(&format!(
        "{style}error{style:#}: {}",
        plain(&causes.join(": "))
    ));
}

/// Says what must not be missed, on standard error.
pub(crate) fn warning(text: &str) {
    let style = AnsiColor::Red.on_default().bold();
    say(&format!("{style}NOT REDACTED{style:#}: {}", plain(text)));
}

/// Writes a result to standard output; what a terminal would obey stands escaped in it, as JSON
/// has it, for texts are `plain` already.
pub(crate) fn result(text: &str) -> anyhow::Result<()> {
    file(&inert(text))
}

/// Writes a file's text to standard output, as it is; a reader that went away is no failure.
pub(crate) fn file(text: &str) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// How a result looks on standard output.
pub(crate) fn look() -> Look {
    look_within(Look::default().width)
}

/// The same, where more columns than a text should have are of use.
pub(crate) fn wide_look() -> Look {
    look_within(WIDE)
}

fn look_within(most: usize) -> Look {
    let out = std::io::stdout();
    if !out.is_terminal() {
        return Look::default();
    }
    let width = terminal_size_of(out).map_or(most, |(Width(width), _)| usize::from(width));
    Look {
        styled: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        width: width.clamp(20, most),
    }
}

/// How many columns there may be to what is no text.
const WIDE: usize = 240;

/// A word as a shell takes it for one.
pub(crate) fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./-,:=@%+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A heading: bold, where the stream that it is printed to shows styles.
pub(crate) fn heading(text: &str) -> String {
    let style = Style::new().bold();
    format!("{style}{text}{style:#}")
}
