//! What is made of a recording that did not end.

use std::io;
use std::path::{Path, PathBuf};

use crate::cassette::{self, Cassette, Header, MAX_SIZE};
use crate::library::part::held;
use crate::library::save::{cannot_write, remove, sync_directory_of, synced};
use crate::library::{Error, no_cassette, raw, read_from, refuse_hidden};
use crate::redact::{Profile, audit};

/// What was saved of a recording that did not end.
#[derive(Debug)]
pub struct Recovered {
    /// The cassette that was written.
    pub path: PathBuf,
    /// How many interactions it has.
    pub interactions: usize,
    /// How many bytes of an unfinished interaction were left out.
    pub cut: usize,
    /// Whether nothing in it is redacted.
    pub is_raw: bool,
}

/// Makes a cassette of the complete interactions of a `.part` file, which stays where it is if
/// anything goes wrong. A cassette that exists is not touched: the name becomes
/// `NAME.recovered.yaml`.
///
/// # Errors
///
/// Where the file is no `.part`, belongs to a recording that runs, holds no complete interaction,
/// or does not pass the audit.
pub fn recover(part: &Path) -> Result<Recovered, Error> {
    let target = part
        .to_str()
        .and_then(|name| name.strip_suffix(".part"))
        .map(PathBuf::from)
        .ok_or_else(|| Error::NoPart {
            path: part.to_owned(),
        })?;
    // Locked until the cassette stands.
    let file = held(part)?;
    let bytes = read_from(&file, part, MAX_SIZE)?;
    let read = cassette::load_part(&bytes).map_err(no_cassette(part))?;
    let mut interactions = read.cassette.interactions;
    interactions.sort_by_key(crate::redact::Interaction::id);
    let interactions: Vec<_> = (1..)
        .zip(interactions)
        .map(|(id, interaction)| interaction.renumbered(id))
        .collect();
    let header: Header = read.cassette.header.with_server(&interactions);
    let is_raw = header.profile == Profile::Raw;
    if is_raw {
        refuse_hidden(&target)?;
    }
    let count = interactions.len();
    let text = cassette::write(&Cassette {
        header,
        interactions,
    });
    // Of the file that there is, so that its lines are the ones that are told.
    let whole = cassette::as_text(&bytes[..bytes.len() - read.cut]).map_err(no_cassette(part))?;
    // What a recording was told to keep stands in no header: only what looks like a secret counts.
    let hit = audit(whole).into_iter().next();
    if let Some(hit) = hit.filter(|_| !is_raw) {
        return Err(Error::Unclean {
            path: part.to_owned(),
            line: hit.line,
            kind: hit.kind,
        });
    }
    let path = under_a_free_name(target, &text)?;
    remove(part)?;
    Ok(Recovered {
        path,
        interactions: count,
        cut: read.cut,
        is_raw,
    })
}

/// Writes a file under the first of these names that nobody has.
fn under_a_free_name(target: PathBuf, text: &str) -> Result<PathBuf, Error> {
    let (base, raw) = if raw::says_raw(&target) {
        (target.with_extension("").with_extension(""), "raw.")
    } else {
        (target.with_extension(""), "")
    };
    let named = move |what: &str| {
        let name = base.file_name().unwrap_or_default().to_string_lossy();
        base.with_file_name(format!("{name}.{what}.{raw}yaml"))
    };
    let recovered = named("recovered");
    let numbered = (2..).map(move |n: u32| named(&format!("recovered-{n}")));
    let mut file = synced(&target, text.as_bytes())?;
    for path in [target.clone(), recovered].into_iter().chain(numbered) {
        match file.persist_noclobber(&path) {
            Ok(_) => {
                sync_directory_of(&path)?;
                return Ok(path);
            }
            Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => {
                file = refused.file;
            }
            Err(refused) => return Err(cannot_write(&path)(refused.error)),
        }
    }
    Err(Error::Exists { path: target })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::part::tests::{BEGIN, ENTRY, died, part};
    use crate::library::{Overwrite, PartFile, load};

    #[test]
    fn what_came_into_being_meanwhile_is_left_and_so_is_the_recording() {
        let directory = tempfile::tempdir().expect("a directory");
        let cassette = directory.path().join("x.yaml");
        let mut recording = part(directory.path());
        recording.append(ENTRY).expect("appended");
        std::fs::write(&cassette, "mine").expect("a file");
        let left = recording.path().to_owned();
        let refused = recording.finish("whole").expect_err("it is not ours");
        assert!(matches!(refused, Error::Appeared { .. }), "{refused}");
        let recovered = recover(&left).expect("recovered");
        assert_eq!(recovered.path, directory.path().join("x.recovered.yaml"));
        assert_eq!(std::fs::read_to_string(&cassette).expect("a file"), "mine");
        let mut again = PartFile::create(&cassette, Overwrite::Yes, BEGIN).expect("allowed");
        again.append(ENTRY).expect("appended");
        let recovered = recover(&died(again)).expect("recovered");
        assert_eq!(recovered.path, directory.path().join("x.recovered-2.yaml"));
    }

    #[test]
    fn a_recording_that_did_not_end_is_recovered_up_to_its_last_whole_interaction() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut recording = part(directory.path());
        recording.append(ENTRY).expect("appended");
        recording.append(&ENTRY[..40]).expect("appended");
        let recovered = recover(&died(recording)).expect("recovered");
        assert_eq!((recovered.interactions, recovered.cut), (1, 40));
        let cassette = load(&directory.path().join("x.yaml")).expect("a cassette");
        assert_eq!(cassette.header.server.as_deref(), Some("as.example"));
    }

    #[test]
    fn what_holds_no_whole_interaction_is_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let recording = died(part(directory.path()));
        let refused = recover(&recording).expect_err("nothing is complete");
        let incomplete = cassette::Error::NothingComplete;
        assert!(
            matches!(&refused, Error::Cassette { source, .. } if source.to_string() == incomplete.to_string()),
            "{refused}"
        );
        assert!(recording.exists());
    }

    #[test]
    fn what_looks_like_a_secret_is_not_recovered_and_what_was_kept_on_purpose_is() {
        for (value, expected) in [
            ("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", Some(14)),
            ("odd one", None),
        ] {
            let directory = tempfile::tempdir().expect("a directory");
            let mut recording = part(directory.path());
            let stray = format!("    query:\n    - hint: {value}\n    body: empty\n");
            let entry = ENTRY.replace("    body: empty\n", &stray);
            recording.append(&entry).expect("appended");
            let left = died(recording);
            let refused = recover(&left).err().map(|error| match error {
                Error::Unclean { line, .. } => line,
                other => panic!("{other}"),
            });
            assert_eq!(refused, expected, "{value}");
            assert_eq!(left.exists(), expected.is_some());
        }
    }
}
