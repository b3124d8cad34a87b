//! A session as a list: one line for each interaction.

use crate::diagnose::report::{Look, plain};
use crate::redact::Interaction;
use crate::view::{Scene, outcome};

impl Scene<'_> {
    /// One line for each interaction, however long; secrets stand in the one that brings them.
    pub fn list(&self, look: Look) -> String {
        let rows = self.turns.iter().map(|parts| row(parts.interaction));
        rows.fold(self.head(look), |list, row| list + &row)
    }
}

fn row(interaction: &Interaction) -> String {
    let request = interaction.request();
    let brought: Vec<_> = brought(interaction).collect();
    let brought = match brought.as_slice() {
        [] => String::new(),
        brought => format!("  [{}]", brought.join(" ")),
    };
    let row = format!(
        "{:>3}  {:>8.3}s  {:<24} {:<4} {} -> {}{brought}",
        interaction.id(),
        interaction.at().as_secs_f64(),
        interaction.step().title(),
        request.method(),
        request.url(),
        outcome(interaction),
    );
    plain(&row) + "\n"
}

/// The secrets that were first seen in it and say something of themselves.
pub(super) fn brought(interaction: &Interaction) -> impl Iterator<Item = &str> {
    let secrets = interaction.secrets().iter();
    secrets.map(|secret| secret.name.as_str())
}
