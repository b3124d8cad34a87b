//! What the programs of the comparison share: options, and where their certificates lie.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Any failure ends the program, and with it the run.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The options of a command line, each a name and a value.
pub struct Options(BTreeMap<String, String>);

impl Options {
    /// Reads `--name value` pairs.
    pub fn read() -> Result<Self, Failure> {
        let mut options = BTreeMap::new();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let name = word
                .strip_prefix("--")
                .ok_or_else(|| format!("{word}: not --name"))?;
            let value = words
                .next()
                .ok_or_else(|| format!("--{name} lacks its value"))?;
            options.insert(name.to_owned(), value);
        }
        Ok(Self(options))
    }

    /// A value that is there or not.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A value that must be there.
    pub fn need(&self, name: &str) -> Result<&str, Failure> {
        Ok(self
            .get(name)
            .ok_or_else(|| format!("--{name} is needed"))?)
    }

    /// A number, or what stands for it.
    pub fn number(&self, name: &str, otherwise: u64) -> Result<u64, Failure> {
        Ok(self.get(name).map_or(Ok(otherwise), str::parse)?)
    }
}

/// The files of the authority that signs for the origin, and for peers that take one.
pub struct Pki(PathBuf);

impl Pki {
    /// The files in this directory.
    pub fn at(directory: impl AsRef<Path>) -> Self {
        Self(directory.as_ref().to_owned())
    }

    /// One of them: `ca.pem`, `ca.key`, `leaf.pem`, `leaf.key`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}
