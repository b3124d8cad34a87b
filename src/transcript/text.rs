//! A transcript as a text: a line for each thing that is said, so that a difference is one line.

use std::fmt;

use crate::diagnose::report::plain;
use crate::transcript::{Entry, Message, Transcript, VERSION};

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cassette, played, of) = (plain(&self.cassette), self.played, self.of);
        write!(f, "authtape transcript {VERSION} · {cassette}")?;
        if let Some(session) = &self.session {
            write!(f, " · session {}", plain(session))?;
        }
        writeln!(f, " · {played} of {of} exchanges played")?;
        for entry in &self.exchanges {
            write!(f, "\n{entry}")?;
        }
        if !self.refused.is_empty() || !self.unused.is_empty() || self.left_out > 0 {
            writeln!(f)?;
        }
        for refused in &self.refused {
            writeln!(f, "refused: {}", plain(refused))?;
        }
        for unused in &self.unused {
            writeln!(f, "never asked for: {}", plain(unused))?;
        }
        if self.left_out > 0 {
            writeln!(f, "{} more exchanges are not shown", self.left_out)?;
        }
        Ok(())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = self.step.replace('_', " ");
        match self.id {
            Some(id) => write!(f, "{id} {step}")?,
            None => f.write_str(&step)?,
        }
        match self.came {
            Some(came) => writeln!(f, ", {came}")?,
            None => writeln!(f)?,
        }
        write_message(f, "", &self.request)?;
        for note in &self.notes {
            writeln!(f, "  ! {}", plain(note))?;
        }
        if let Some(response) = &self.response {
            write_message(f, "-> ", response)?;
        }
        if let Some(error) = &self.error {
            writeln!(f, "  -> {error}")?;
        }
        for why in &self.why {
            writeln!(f, "  {}", plain(why))?;
        }
        Ok(())
    }
}

fn write_message(f: &mut fmt::Formatter<'_>, arrow: &str, message: &Message) -> fmt::Result {
    writeln!(f, "  {arrow}{}", plain(&message.line))?;
    for field in &message.fields {
        let (place, name, value) = (field.place, plain(&field.name), plain(&field.value));
        writeln!(f, "    {}", format!("{place} {name}: {value}").trim_end())?;
    }
    if let Some(json) = &message.json {
        let text = serde_json::to_string_pretty(json).unwrap_or_default();
        for line in text.lines() {
            writeln!(f, "    {}", plain(line))?;
        }
    }
    if let Some(body) = &message.body {
        for line in body.lines() {
            writeln!(f, "    ({})", plain(line))?;
        }
    }
    Ok(())
}
