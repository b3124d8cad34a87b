//! The local certificate authority: made for one run, in memory, unless it is kept on purpose.

use std::collections::HashMap;
use std::fmt;
use std::fs::Permissions;
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData as _,
    SanType, SerialNumber,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::NamedTempFile;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::proxy::Error;

/// Signs a certificate for every host that is intercepted.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    not_after: OffsetDateTime,
    /// One key for all leaves of a run: minting costs one signature.
    leaf_key: KeyPair,
    leaves: Mutex<HashMap<LeafName, Arc<OnceLock<Arc<ServerConfig>>>>>,
    #[cfg(test)]
    minted: std::sync::atomic::AtomicUsize,
}

/// A host and the protocol that was agreed on.
type LeafName = (String, Option<Vec<u8>>);

impl Authority {
    /// A new authority, which may sign for these DNS names only where any are given.
    ///
    /// # Errors
    ///
    /// Where the system has no randomness to make keys of.
    pub fn generate(names: &[String]) -> Result<Self, Error> {
        let key = KeyPair::generate()?;
        let now = OffsetDateTime::now_utc()
            .replace_nanosecond(0)
            .unwrap_or_else(|_| OffsetDateTime::now_utc());
        let mut params = ca_params(&key, now);
        params.name_constraints = constraints(names);
        let certificate = params.self_signed(&key)?;
        let until = params.not_after.format(&Rfc3339).unwrap_or_default();
        let pem = format!("{NOTE}{until}\n{}", certificate.pem());
        Self::assemble(params, key, certificate.der().clone(), pem)
    }

    /// Reads an authority that [`Authority::save`] wrote.
    ///
    /// # Errors
    ///
    /// Where a file is missing or is something else, or the authority is too old.
    pub fn load(directory: &Path) -> Result<Self, Error> {
        let (pem_path, key_path) = (directory.join("ca.pem"), directory.join("ca.key"));
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|source| Error::File {
                verb: "read",
                path: path.to_owned(),
                source,
            })
        };
        let (pem, key) = (read(&pem_path)?, read(&key_path)?);
        let key_file = std::fs::metadata(&key_path).map_err(|source| Error::File {
            verb: "read",
            path: key_path.clone(),
            source,
        })?;
        if key_file.permissions().mode() & 0o077 != 0 {
            return Err(Error::AuthorityOpen { path: key_path });
        }
        let strange = || Error::NoAuthority {
            path: pem_path.clone(),
        };
        let key = KeyPair::from_pem(&key)
            .ok()
            .ok_or(Error::NoAuthority { path: key_path })?;
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes());
        let certificate = certificate.ok().ok_or_else(strange)?;
        let (_, read) = x509_parser::parse_x509_certificate(&certificate)
            .ok()
            .ok_or_else(strange)?;
        if read.public_key().subject_public_key.data != key.der_bytes() {
            return Err(Error::AuthorityUnlike {
                path: directory.to_owned(),
            });
        }
        let not_after = read.validity().not_after.to_datetime();
        if not_after <= OffsetDateTime::now_utc() {
            return Err(Error::AuthorityExpired {
                path: directory.to_owned(),
                until: not_after.format(&Rfc3339).unwrap_or_default(),
            });
        }
        // The name that it signs with, by which clients find it.
        let mut names = read.subject().iter_common_name();
        let name = names.next().and_then(|name| name.as_str().ok());
        if name != Some(&common_name(&key)) {
            return Err(strange());
        }
        let mut params = ca_params(&key, OffsetDateTime::now_utc());
        params.not_after = not_after;
        Self::assemble(params, key, certificate.clone(), pem)
    }

    /// Keeps the authority as `ca.pem` and `ca.key`, the key for its owner only.
    ///
    /// # Errors
    ///
    /// Where the files exist or cannot be written.
    pub fn save(&self, directory: &Path) -> Result<(), Error> {
        let file = |verb, path: &Path, source| Error::File {
            verb,
            path: path.to_owned(),
            source,
        };
        let made = std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory);
        made.map_err(|source| file("make", directory, source))?;
        let paths = [directory.join("ca.key"), directory.join("ca.pem")];
        if let Some(path) = paths.iter().find(|path| path.symlink_metadata().is_ok()) {
            return Err(Error::AuthorityExists { path: path.clone() });
        }
        let [key, certificate] = paths;
        let key_pem = self.issuer.key().serialize_pem();
        let key_file =
            beside(&key, &key_pem, 0o600).map_err(|source| file("write", &key, source))?;
        let certificate_file = beside(&certificate, &self.pem, 0o644)
            .map_err(|source| file("write", &certificate, source))?;
        // Both are whole before either has its name, and a key never stands alone.
        named(key_file, &key)?;
        named(certificate_file, &certificate).inspect_err(|_| {
            // The first error is the one to tell.
            let _ = std::fs::remove_file(&key);
        })
    }

    /// The authority's certificate, with a line that says until when it is valid.
    pub fn ca_pem(&self) -> &str {
        &self.pem
    }

    /// Until when it is valid: RFC 3339, UTC.
    pub fn valid_until(&self) -> String {
        self.not_after.format(&Rfc3339).unwrap_or_default()
    }

    /// The SHA-256 of the certificate, as browsers show it.
    pub fn fingerprint(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.certificate);
        let bytes: Vec<_> = digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        bytes.join(":")
    }

    /// The SHA-256 of the key that all certificates of this run are for, base64, as Chromium takes it.
    pub fn key_hash(&self) -> String {
        let key = self.leaf_key.subject_public_key_info();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &key);
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest)
    }

    /// The server's side of TLS for a host, with the protocol that was agreed on; made once.
    ///
    /// # Errors
    ///
    /// Where the name can stand in no certificate.
    pub fn server_config(
        &self,
        host: &str,
        alpn: Option<&[u8]>,
    ) -> Result<Arc<ServerConfig>, Error> {
        let name = (host.to_ascii_lowercase(), alpn.map(<[u8]>::to_vec));
        let slot = {
            let mut leaves = self.leaves.lock().unwrap_or_else(PoisonError::into_inner);
            if leaves.len() >= LEAVES_MAX && !leaves.contains_key(&name) {
                leaves.clear();
            }
            Arc::clone(leaves.entry(name.clone()).or_default())
        };
        if let Some(config) = slot.get() {
            return Ok(Arc::clone(config));
        }
        let mut failed = None;
        let config = slot.get_or_init(|| match self.mint(&name.0, alpn) {
            Ok(config) => config,
            Err(error) => {
                failed = Some(error);
                Arc::new(unusable())
            }
        });
        match failed {
            None => Ok(Arc::clone(config)),
            Some(error) => {
                self.leaves
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(&name);
                Err(error)
            }
        }
    }

    fn assemble(
        params: CertificateParams,
        key: KeyPair,
        certificate: CertificateDer<'static>,
        pem: String,
    ) -> Result<Self, Error> {
        Ok(Self {
            not_after: params.not_after,
            issuer: Issuer::new(params, key),
            certificate,
            pem,
            leaf_key: KeyPair::generate()?,
            leaves: Mutex::default(),
            #[cfg(test)]
            minted: std::sync::atomic::AtomicUsize::new(0),
        })
    }

    fn mint(&self, host: &str, alpn: Option<&[u8]>) -> Result<Arc<ServerConfig>, Error> {
        #[cfg(test)]
        self.minted
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut params = CertificateParams::default();
        let bare = host.trim_matches(['[', ']']);
        let san = match bare.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(bare.try_into()?),
        };
        params.subject_alt_names = vec![san];
        params.distinguished_name = DistinguishedName::new();
        let common: String = bare.chars().take(64).collect();
        params.distinguished_name.push(DnType::CommonName, common);
        params.not_before = OffsetDateTime::now_utc() - Duration::DAY;
        params.not_after = (OffsetDateTime::now_utc() + Duration::days(44)).min(self.not_after);
        params.serial_number = Some(serial());
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(&self.leaf_key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.leaf_key.serialize_der()));
        let chain = vec![leaf.der().clone(), self.certificate.clone()];
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = alpn.map(<[u8]>::to_vec).into_iter().collect();
        Ok(Arc::new(config))
    }
}

/// A file with this text, in the directory of another and with no name to keep yet.
fn beside(path: &Path, text: &str, mode: u32) -> std::io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(path.parent().unwrap_or(path))?;
    file.write_all(text.as_bytes())?;
    file.as_file()
        .set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn named(file: NamedTempFile, path: &Path) -> Result<(), Error> {
    let persisted = file.persist_noclobber(path);
    let path = path.to_owned();
    match persisted.map_err(|failed| failed.error) {
        Ok(_) => Ok(()),
        Err(source) if source.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(Error::AuthorityExists { path })
        }
        Err(source) => Err(Error::File {
            verb: "write",
            path,
            source,
        }),
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority(until {})", self.valid_until())
    }
}

/// The one crypto provider of the program.
pub(super) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    static PROVIDER: OnceLock<Arc<rustls::crypto::CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider())))
}

/// The key's own digest tells authorities apart, since clients that meet two of one name take one's
/// signature for the other's.
fn common_name(key: &KeyPair) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.der_bytes());
    let short: String = digest.as_ref()[..3]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("authtape CA {short}")
}

/// At most 45 days, from one day ago on.
fn ca_params(key: &KeyPair, now: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name(key));
    params.not_before = now - Duration::DAY;
    params.not_after = now + Duration::days(44);
    params.serial_number = Some(serial());
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn constraints(names: &[String]) -> Option<NameConstraints> {
    // A name constraint covers the names below it; an address or a wider glob cannot be said.
    let plain = |name: &String| {
        let name = name.strip_prefix("*.").unwrap_or(name);
        let dns = !name.contains(['*', '?', ':']) && name.parse::<IpAddr>().is_err();
        dns.then(|| GeneralSubtree::DnsName(name.to_owned()))
    };
    let permitted: Option<Vec<_>> = names.iter().map(plain).collect();
    permitted
        .filter(|permitted| !permitted.is_empty())
        .map(|permitted_subtrees| NameConstraints {
            permitted_subtrees,
            excluded_subtrees: Vec::new(),
        })
}

/// Random, since two leaves of one key would otherwise share one serial number.
fn serial() -> SerialNumber {
    let mut bytes = [0_u8; 16];
    // Without randomness no key could have been made before this.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    bytes[0] &= 0x7f;
    SerialNumber::from_slice(&bytes)
}

fn unusable() -> ServerConfig {
    let resolver = rustls::server::ResolvesServerCertUsingSni::new();
    #[expect(
        clippy::expect_used,
        reason = "the provider supports the default versions"
    )]
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("default versions");
    builder
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver))
}

const NOTE: &str = "authtape CA, valid until ";
const LEAVES_MAX: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_minted_once_however_many_ask_for_it() {
        let authority = Authority::generate(&[]).expect("an authority");
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for host in ["a.example", "A.example", "b.example", "127.0.0.1", "[::1]"] {
                        authority.server_config(host, Some(b"h2")).expect(host);
                    }
                });
            }
        });
        assert_eq!(
            authority.minted.load(std::sync::atomic::Ordering::Relaxed),
            4
        );
    }

    #[test]
    fn a_kept_authority_is_read_back_and_never_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        let kept = directory.path().join("ca");
        let authority = Authority::generate(&[]).expect("an authority");
        authority.save(&kept).expect("saved");
        assert_eq!(
            Authority::load(&kept).expect("loaded").fingerprint(),
            authority.fingerprint()
        );
        let refused = Authority::generate(&[])
            .expect("another")
            .save(&kept)
            .expect_err("it exists");
        assert!(
            matches!(refused, Error::AuthorityExists { .. }),
            "{refused}"
        );
        let pem = std::fs::read_to_string(kept.join("ca.pem")).expect("a file");
        let late = pem.replacen("valid until 2", "valid until 9", 1);
        assert_ne!(late, pem);
        std::fs::write(kept.join("ca.pem"), late).expect("written");
        let loaded = Authority::load(&kept).expect("loaded");
        assert_eq!(
            loaded.not_after, authority.not_after,
            "the certificate says so"
        );
        std::fs::write(kept.join("ca.pem"), "-----BEGIN CERTIFICATE-----").expect("written");
        assert!(matches!(
            Authority::load(&kept).expect_err("no authority"),
            Error::NoAuthority { .. }
        ));
    }

    #[test]
    fn a_key_is_never_left_beside_what_it_does_not_belong_to() {
        for there in ["ca.pem", "ca.key"] {
            let directory = tempfile::tempdir().expect("a directory");
            std::fs::write(directory.path().join(there), "old").expect("written");
            let authority = Authority::generate(&[]).expect("an authority");
            let refused = authority.save(directory.path()).expect_err(there);
            assert!(
                matches!(refused, Error::AuthorityExists { .. }),
                "{refused}"
            );
            let names = std::fs::read_dir(directory.path()).expect("a directory");
            let names: Vec<_> = names
                .map(|entry| entry.expect("an entry").file_name())
                .collect();
            assert_eq!(names, [there]);
        }
    }

    #[test]
    fn a_kept_authority_is_refused_where_it_would_fail_its_clients() {
        let directory = tempfile::tempdir().expect("a directory");
        let kept = directory.path();
        let authority = Authority::generate(&[]).expect("an authority");
        authority.save(kept).expect("saved");
        let (key, pem) = (kept.join("ca.key"), kept.join("ca.pem"));
        let load = || Authority::load(kept).expect_err("refused");
        for mode in [0o640, 0o604, 0o660] {
            std::fs::set_permissions(&key, Permissions::from_mode(mode)).expect("set");
            let refused = load().to_string();
            assert!(refused.contains("chmod 600"), "{mode:o}: {refused}");
        }
        std::fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("set");
        let another = Authority::generate(&[]).expect("another");
        std::fs::write(&pem, another.ca_pem()).expect("written");
        assert!(matches!(load(), Error::AuthorityUnlike { .. }));
        for (name, days, expected) in [
            (common_name(authority.issuer.key()), -2, "valid until"),
            ("somebody's CA".to_owned(), 2, "no authority that"),
        ] {
            let mut params = ca_params(authority.issuer.key(), OffsetDateTime::now_utc());
            params.not_before = OffsetDateTime::now_utc() - Duration::days(9);
            params.not_after = OffsetDateTime::now_utc() + Duration::days(days);
            params.distinguished_name = DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, name);
            let made = params
                .self_signed(authority.issuer.key())
                .expect("a certificate");
            std::fs::write(&pem, made.pem()).expect("written");
            let refused = load().to_string();
            assert!(refused.contains(expected), "{refused}");
        }
    }

    #[test]
    fn hosts_become_name_constraints_where_they_can() {
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        assert!(constraints(&names(&["idp.example", "*.example.com"])).is_some());
        assert!(constraints(&names(&["idp.example", "127.0.0.1"])).is_none());
        assert!(constraints(&[]).is_none());
    }
}
