//! What a redactor takes over from what was redacted before.

use crate::redact::interaction::Interaction;
use crate::redact::label::{Label, Piece, pieces};
use crate::redact::{Named, Redactor};

impl Redactor {
    /// Goes on behind these interactions: labels go on counting where they stopped, and a secret
    /// that comes to be known later is looked for in them, too.
    pub fn resume(&mut self, interactions: &[Interaction], counts: &[Named<u32>]) {
        for count in counts {
            self.ledger.count_from(&count.name, count.value);
        }
        for interaction in interactions {
            interaction.clone().for_each_text(&mut |text| {
                for piece in pieces(text) {
                    if let Piece::Label(label) = piece {
                        self.ledger.count_from(&label.kind, label.number);
                    }
                }
                self.keep_in_mind(text);
            });
            self.note_public(interaction);
        }
    }

    /// Takes in labels that messages hold already; to be called before the first exchange. Each
    /// stays what it is, and labels go on counting behind them.
    pub fn keep_labels(&mut self, labels: &[Label]) {
        for label in labels {
            self.ledger.count_from(&label.kind, label.number);
            self.ledger.know(&label.to_string(), label);
        }
    }

    /// Takes in what this run says for a label of the cassette: where it is said again, it is that
    /// label again. What stands on the cassette for everybody to read is no secret of it.
    pub fn know(&mut self, label: &Label, value: &str) {
        if !self.may_have_kept(value) && self.ledger.know(value, label) {
            self.sweeper.add(value, label);
        }
    }
}
