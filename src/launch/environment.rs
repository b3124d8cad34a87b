//! The environment of a program: proxy and trust for every runtime that reads variables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use p12_keystore::{Certificate, KeyStore, KeyStoreEntry};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;

use crate::launch::{Directory, Error};

/// Variables for a program, and the files that they name, which go when this is dropped.
#[derive(Debug)]
pub struct Environment {
    variables: BTreeMap<String, OsString>,
    directory: Directory,
}

impl Environment {
    /// The environment for a proxy and the certificates that are to be trusted for it, on top of
    /// what is inherited.
    ///
    /// # Errors
    ///
    /// Where the files cannot be written.
    pub fn prepare(
        proxy_url: &str,
        ca_pem: &str,
        inherited: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Error> {
        let directory = Directory::make()?;
        let files = Files::write(directory.path(), ca_pem, &inherited).map_err(Error::Prepare)?;
        let authority = proxy_url.rsplit(['/', '@']).next().unwrap_or_default();
        let (host, port) = authority.rsplit_once(':').unwrap_or_default();
        let fill = |value: &str| {
            let mut value = value
                .replace("{proxy}", proxy_url)
                .replace("{host}", host)
                .replace("{port}", port);
            for (name, path) in files.by_name() {
                value = value.replace(name, &path.to_string_lossy());
            }
            OsString::from(value)
        };
        let mut variables = BTreeMap::new();
        for runtime in RUNTIMES.iter() {
            for (name, value) in &runtime.set {
                variables.insert(name.clone(), fill(value));
            }
            for (name, appended) in &runtime.append {
                let before = inherited(name).filter(|value| !value.is_empty());
                variables.insert(name.clone(), appended.to(before, fill(&appended.value)));
            }
        }
        Ok(Self {
            variables,
            directory,
        })
    }

    /// The variables, by name.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &OsString)> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }

    /// Where the files are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

struct Files {
    bundle: PathBuf,
    extra: PathBuf,
    ini: PathBuf,
    java: PathBuf,
    wgetrc: PathBuf,
    shims: PathBuf,
}

impl Files {
    fn by_name(&self) -> [(&'static str, &Path); 6] {
        [
            ("{bundle}", &self.bundle),
            ("{ca}", &self.extra),
            ("{ini}", &self.ini),
            ("{java}", &self.java),
            ("{wgetrc}", &self.wgetrc),
            ("{shims}", &self.shims),
        ]
    }

    fn write(
        directory: &Path,
        ca_pem: &str,
        inherited: &impl Fn(&str) -> Option<OsString>,
    ) -> std::io::Result<Self> {
        let files = Self {
            bundle: directory.join("bundle.pem"),
            extra: directory.join("extra.pem"),
            ini: directory.join("php"),
            java: directory.join("roots.p12"),
            wgetrc: directory.join("wgetrc"),
            shims: directory.join("shims"),
        };
        // A store replaces the system's in most runtimes, so ours holds both.
        let mut bundle = system_roots(inherited("SSL_CERT_FILE").map(PathBuf::from));
        for path in inherited_roots(inherited) {
            let text = std::fs::read_to_string(path).map(lines).unwrap_or_default();
            if !bundle.contains(&text) {
                bundle.push_str(&text);
            }
        }
        bundle.push_str(ca_pem);
        std::fs::write(&files.java, java_store(&bundle)?)?;
        std::fs::write(&files.bundle, bundle)?;
        let before =
            inherited("NODE_EXTRA_CA_CERTS").and_then(|path| std::fs::read_to_string(path).ok());
        std::fs::write(
            &files.extra,
            format!("{}{ca_pem}", lines(before.unwrap_or_default())),
        )?;
        std::fs::create_dir(&files.ini)?;
        let mut ini = std::fs::File::create(files.ini.join("authtape.ini"))?;
        let bundle = files.bundle.display();
        let shim = files.shims.join("authtape.php");
        writeln!(
            ini,
            "curl.cainfo = \"{bundle}\"\nopenssl.cafile = \"{bundle}\"\nauto_prepend_file = \"{}\"",
            shim.display()
        )?;
        let own = || Some(PathBuf::from(inherited("HOME")?).join(".wgetrc"));
        let before = inherited("WGETRC").map(PathBuf::from).or_else(own);
        let before = before.and_then(|path| std::fs::read_to_string(path).ok());
        std::fs::write(
            &files.wgetrc,
            format!(
                "{}ca_certificate = {bundle}\n",
                lines(before.unwrap_or_default())
            ),
        )?;
        std::fs::create_dir(&files.shims)?;
        for (name, text) in SHIMS {
            std::fs::write(files.shims.join(name), text)?;
        }
        Ok(files)
    }
}

/// The files of roots that variables of the runtimes name, besides `SSL_CERT_FILE`: who set them
/// trusts what is in them, and they are overridden.
pub fn inherited_roots(inherited: &impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let set = RUNTIMES.iter().flat_map(|runtime| &runtime.set);
    let names = set.filter(|(name, value)| {
        ["{bundle}", "{ca}"].contains(&value.as_str()) && *name != "SSL_CERT_FILE"
    });
    let mut files = Vec::new();
    for path in names.filter_map(|(name, _)| inherited(name).map(PathBuf::from)) {
        let holds_roots = || CertificateDer::from_pem_file(&path).is_ok();
        if !files.contains(&path) && holds_roots() {
            files.push(path);
        }
    }
    files
}

fn system_roots(inherited: Option<PathBuf>) -> String {
    if let Some(text) = inherited.and_then(|path| std::fs::read_to_string(path).ok()) {
        return lines(text);
    }
    let block = |certificate: &CertificateDer<'_>| {
        let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, certificate);
        let wrapped: Vec<_> = text
            .as_bytes()
            .chunks(64)
            .map(String::from_utf8_lossy)
            .collect();
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            wrapped.join("\n")
        )
    };
    rustls_native_certs::load_native_certs()
        .certs
        .iter()
        .map(block)
        .collect()
}

/// What Java reads: a PKCS#12 file whose entries are marked as trusted. The one password that all
/// its tools know keeps nothing secret, and so few rounds would.
fn java_store(bundle: &str) -> std::io::Result<Vec<u8>> {
    let mut store = KeyStore::new();
    let certificates = CertificateDer::pem_slice_iter(bundle.as_bytes()).flatten();
    // A root that is too odd to be read here is one that no client of ours would meet.
    for (at, root) in certificates.enumerate() {
        if let Ok(root) = Certificate::from_der(&root) {
            store.add_entry(&format!("root-{at}"), KeyStoreEntry::Certificate(root));
        }
    }
    store
        .writer("changeit")
        .encryption_iterations(1)
        .mac_iterations(1)
        .write()
        .map_err(std::io::Error::other)
}

fn lines(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Runtime {
    #[expect(dead_code, reason = "the name is for the people who review the table")]
    #[serde(rename = "runtime")]
    title: String,
    #[serde(default)]
    set: BTreeMap<String, String>,
    #[serde(default)]
    append: BTreeMap<String, Appended>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Appended {
    value: String,
    join: String,
    /// What stands before it where nothing was inherited.
    lead: String,
    #[serde(default)]
    first: bool,
}

impl Appended {
    fn to(&self, inherited: Option<OsString>, value: OsString) -> OsString {
        let (mut whole, join, after) = match inherited {
            None => (OsString::new(), &self.lead, value),
            Some(inherited) if self.first => (value, &self.join, inherited),
            Some(inherited) => (inherited, &self.join, value),
        };
        whole.push(join);
        whole.push(after);
        whole
    }
}

const SHIMS: &[(&str, &str)] = &[
    ("authtape.cjs", include_str!("shims/authtape.cjs")),
    ("authtape.php", include_str!("shims/authtape.php")),
    ("authtape.rb", include_str!("shims/authtape.rb")),
    ("sitecustomize.py", include_str!("shims/sitecustomize.py")),
];

#[expect(
    clippy::expect_used,
    reason = "the data is embedded, and a test reads it"
)]
static RUNTIMES: LazyLock<Vec<Runtime>> = LazyLock::new(|| {
    serde_yaml::from_str(include_str!("runtimes.yaml")).expect("runtimes.yaml reads")
});

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(inherited: &[(&str, &str)]) -> Environment {
        let inherited: BTreeMap<String, OsString> = inherited
            .iter()
            .map(|(name, value)| ((*name).to_owned(), OsString::from(value)))
            .collect();
        Environment::prepare("http://127.0.0.1:4000", "-----OURS-----\n", |name| {
            inherited.get(name).cloned()
        })
        .expect("prepared")
    }

    fn value(environment: &Environment, name: &str) -> String {
        let found = environment.variables().find(|(known, _)| *known == name);
        found
            .unwrap_or_else(|| panic!("{name} is not set"))
            .1
            .to_string_lossy()
            .into_owned()
    }

    #[test]
    fn the_proxy_is_named_in_both_cases_and_nothing_bypasses_it() {
        let environment = prepared(&[
            ("no_proxy", "localhost"),
            ("HTTPS_PROXY", "http://corporate:3128"),
        ]);
        for name in [
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "http_proxy",
            "https_proxy",
            "ALL_PROXY",
        ] {
            assert_eq!(value(&environment, name), "http://127.0.0.1:4000", "{name}");
        }
        assert_eq!(value(&environment, "NO_PROXY"), "");
        assert_eq!(value(&environment, "no_proxy"), "");
    }

    #[test]
    fn the_bundle_holds_what_was_trusted_before_and_ours() {
        let directory = tempfile::tempdir().expect("a directory");
        let before = directory.path().join("before.pem");
        std::fs::write(&before, "-----THEIRS-----").expect("written");
        let environment = prepared(&[("SSL_CERT_FILE", &before.to_string_lossy())]);
        let bundle =
            std::fs::read_to_string(value(&environment, "REQUESTS_CA_BUNDLE")).expect("a bundle");
        assert_eq!(bundle, "-----THEIRS-----\n-----OURS-----\n");
        assert_eq!(
            value(&environment, "SSL_CERT_FILE"),
            value(&environment, "CURL_CA_BUNDLE")
        );
    }

    #[test]
    fn the_ini_directory_of_the_distribution_is_kept() {
        let fresh = prepared(&[]);
        assert_eq!(
            value(&fresh, "PHP_INI_SCAN_DIR"),
            format!(":{}/php", fresh.directory().display())
        );
        let inherited = prepared(&[("PHP_INI_SCAN_DIR", "/etc/mine")]);
        assert_eq!(
            value(&inherited, "PHP_INI_SCAN_DIR"),
            format!("/etc/mine:{}/php", inherited.directory().display())
        );
    }

    #[test]
    fn what_was_configured_before_is_kept() {
        let home = tempfile::tempdir().expect("a directory");
        std::fs::write(home.path().join(".wgetrc"), "tries = 3").expect("written");
        let environment = prepared(&[
            ("HOME", &home.path().to_string_lossy()),
            ("PYTHONPATH", "/mine"),
        ]);
        let directory = environment.directory().display().to_string();
        let wgetrc = std::fs::read_to_string(value(&environment, "WGETRC")).expect("a file");
        assert_eq!(
            wgetrc,
            format!("tries = 3\nca_certificate = {directory}/bundle.pem\n")
        );
        assert_eq!(
            value(&environment, "PYTHONPATH"),
            format!("{directory}/shims:/mine")
        );
    }

    #[test]
    fn the_files_go_with_the_environment() {
        let environment = prepared(&[]);
        let directory = environment.directory().to_owned();
        assert!(directory.join("php/authtape.ini").exists());
        drop(environment);
        assert!(!directory.exists());
    }
}
