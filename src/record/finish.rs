//! The end of a tape: its cassette, numbered, audited and stamped.

use crate::cassette::{self, Cassette, Header, Stamp};
use crate::oauth::Step;
use crate::record::{Before, Entry, Refused, Tape, Withheld};
use crate::redact::{Examiner, Interaction, Named, Profile, Redactor, check};

impl Tape {
    /// The text of the cassette, its interactions in the order of the requests' starts and
    /// numbered so. What the audit finds in one of them leaves a stub of it; see
    /// [`withheld`](Self::withheld).
    ///
    /// # Errors
    ///
    /// [`Refused`] where the audit finds something in the header or in a stub, or an interaction
    /// does not read back as it was written.
    pub fn finish(&mut self) -> Result<String, Refused> {
        let entries = self.numbered();
        let is_withheld = |(_, entry): &&(u64, &Entry)| {
            entry.is_old && self.withheld.iter().any(|one| one.id == entry.id)
        };
        if entries.iter().any(|entry| is_withheld(&entry)) {
            let why = "what was on the cassette before would have been lost".to_owned();
            return Err(Refused { why });
        }
        let header = self.finished_header(&entries)?;
        let mut text = head(&header)?;
        let begins = text.len();
        let mut examiner = self.redactor.examiner();
        let mut withheld = Vec::new();
        let mut is_vouched_for = true;
        for (number, entry) in entries {
            let mut interaction = entry.read()?.renumbered(number);
            let mut written = cassette::entry(&interaction);
            if entry.is_old {
                is_vouched_for &= self.is_stray_free(&interaction);
                if let Some(kind) = examiner.examine(&mut interaction, &written) {
                    // It is not this recording's to take away.
                    return Err(Refused::leak(&kind));
                }
            } else if let Some(kind) = self.examined(&mut examiner, &mut interaction, &written) {
                withheld.push(Withheld {
                    id: entry.id,
                    asked: self.redactor.asked(&interaction),
                    why: Refused::leak(&kind).why,
                });
                interaction = Redactor::withheld(interaction);
                written = cassette::entry(&interaction);
                if let Some(kind) = self.examined(&mut examiner, &mut interaction, &written) {
                    return Err(Refused::leak(&kind));
                }
            }
            text.push_str(&written);
        }
        self.withheld.append(&mut withheld);
        for withheld in &mut self.withheld {
            // What is known by the end may be more than when it was withheld.
            withheld.asked = withheld
                .asked
                .take()
                .filter(|asked| examiner.is_clean(asked));
        }
        // What is not redacted was not searched.
        let is_audited = self.header.profile != Profile::Raw && is_vouched_for;
        let audit = is_audited.then(|| self.stamp(&examiner, &header.redacted, &text));
        let audit = audit.flatten();
        let header = head(&Header { audit, ..header })?;
        text.replace_range(..begins, &header);
        Ok(text)
    }

    fn is_stray_free(&self, interaction: &Interaction) -> bool {
        check(interaction, self.header.profile, &self.keep_values).is_empty()
    }

    /// The kind of what must not stand in an interaction.
    fn examined(
        &self,
        examiner: &mut Examiner<'_>,
        interaction: &mut Interaction,
        written: &str,
    ) -> Option<String> {
        let stray = check(interaction, self.header.profile, &self.keep_values);
        let stray = stray.into_iter().next().map(|stray| stray.kind);
        stray.or_else(|| examiner.examine(interaction, written))
    }

    /// What was searched for, now and for what was there before; `None` where that was not
    /// searched.
    fn stamp(&self, examiner: &Examiner<'_>, redacted: &[Named<u32>], text: &str) -> Option<Stamp> {
        let earlier = match &self.before {
            Before::Nothing => None,
            Before::Stamped(earlier) => Some(earlier),
            Before::Unstamped => return None,
        };
        let stamp = Stamp {
            rules: cassette::RULES,
            secrets: redacted.iter().map(|kind| u64::from(kind.value)).sum(),
            patterns: examiner.patterns() as u64,
            depth: examiner.depth(),
            hits: self.withheld.len() as u64,
            sum: cassette::sum(text),
        };
        Some(match earlier {
            None => stamp,
            Some(earlier) => Stamp {
                rules: stamp.rules.min(earlier.rules),
                patterns: stamp.patterns + earlier.patterns,
                depth: stamp.depth.min(earlier.depth),
                hits: stamp.hits + earlier.hits,
                ..stamp
            },
        })
    }

    /// The entries in the order of the requests' starts, with the numbers that they are to have; what
    /// was there before keeps its own.
    fn numbered(&self) -> Vec<(u64, &Entry)> {
        let (old, mut new): (Vec<_>, Vec<_>) = self.entries.iter().partition(|one| one.is_old);
        new.sort_by_key(|entry| entry.id);
        let last = old.iter().map(|entry| entry.id).max().unwrap_or_default();
        let old = old.into_iter().map(|entry| (entry.id, entry));
        old.chain((last + 1..).zip(new)).collect()
    }

    fn finished_header(&self, entries: &[(u64, &Entry)]) -> Result<Header, Refused> {
        let token = entries
            .iter()
            .find(|(_, entry)| entry.step == Step::TokenRequest);
        let served = token
            .or_else(|| entries.first())
            .map(|(_, entry)| entry.read());
        let mut header = self
            .header
            .clone()
            .with_server(served.transpose()?.as_slice());
        if let Some(server) = &header.server {
            self.audit(server)?;
        }
        header.redacted = self.redacted();
        let full = entries.iter().find(|(_, entry)| entry.is_unlinked);
        header.ledger_full_at = full.map(|(number, _)| *number);
        Ok(header)
    }
}

/// The text of a header, where it reads back as it was meant.
fn head(header: &Header) -> Result<String, Refused> {
    let begun = Cassette {
        header: header.clone(),
        interactions: Vec::new(),
    };
    let text = cassette::write(&begun);
    match cassette::load(text.as_bytes()) {
        Ok(read) if read == begun => Ok(text),
        Ok(_) => Err(Refused::changed()),
        Err(error) => Err(Refused::unreadable(&error)),
    }
}
