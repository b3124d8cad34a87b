//! Which servers are believed, and who we say we are to them.

use std::cell::Cell;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use rustls::client::ResolvesClientCert;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use crate::proxy::Error;
use crate::proxy::authority::provider;
use crate::proxy::glob::any_matches;

tokio::task_local! {
    static ASKED: Cell<bool>;
}

/// Runs a handshake, and says besides whether the server asked for a certificate where there is
/// none for it.
pub(super) async fn asked<F: Future>(handshake: F) -> (F::Output, bool) {
    let noted = async { (handshake.await, ASKED.with(Cell::get)) };
    ASKED.scope(Cell::new(false), noted).await
}

/// Whether an alert says that a certificate is missing. TLS 1.2 has none of its own for that, and
/// servers take several (RFC 5246 section 7.4.6).
pub(super) fn demands_certificate(alert: AlertDescription, asked: bool) -> bool {
    let is_likely = matches!(
        alert,
        AlertDescription::AccessDenied
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::HandshakeFailure
            | AlertDescription::NoCertificate
    );
    alert == AlertDescription::CertificateRequired || (asked && is_likely)
}

/// The alert of the other side that is the cause, if any.
pub(super) fn alert(error: &(dyn std::error::Error + 'static)) -> Option<AlertDescription> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(rustls::Error::AlertReceived(alert)) = error.downcast_ref() {
            return Some(*alert);
        }
        if let Some(inner) = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            return alert(inner);
        }
        cause = error.source();
    }
    None
}

/// A certificate that we show to the servers that match.
#[derive(Clone)]
pub struct ClientCertificate {
    /// A glob of hosts.
    pub host: String,
    /// The file, for messages.
    pub file: String,
    /// Certificate, its chain, and its key: PEM, or PKCS#12.
    pub bytes: zeroize::Zeroizing<Vec<u8>>,
    /// What opens it where it is PKCS#12.
    pub passphrase: Passphrase,
}

/// What opens a file of keys; it is never shown.
#[derive(Clone, Default)]
pub struct Passphrase(zeroize::Zeroizing<String>);

impl Passphrase {
    /// Keeps a passphrase.
    pub fn new(text: String) -> Self {
        Self(zeroize::Zeroizing::new(text))
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase")
    }
}

impl std::fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientCertificate({} from {})", self.host, self.file)
    }
}

/// The settings of TLS towards servers.
pub(super) struct Trust {
    roots: Arc<RootCertStore>,
    insecure: Vec<String>,
    identities: Vec<Identity>,
    configs: Mutex<HashMap<Profile, Arc<ClientConfig>>>,
}

struct Identity {
    host: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// What connections with one configuration have in common, so that sessions are resumed.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Profile {
    alpn: Vec<Vec<u8>>,
    is_insecure: bool,
    identity: Option<usize>,
}

impl Trust {
    pub(super) fn new(
        extra_roots: Vec<(String, Vec<u8>)>,
        insecure: Vec<String>,
        certificates: &[ClientCertificate],
    ) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        // What the store cannot give is missed when a server's certificate is refused, and said then.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for (what, pem) in extra_roots {
            let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
            let found = found.unwrap_or_default();
            if found.is_empty() || roots.add_parsable_certificates(found).0 == 0 {
                return Err(Error::Root { what });
            }
        }
        let identities: Result<_, _> = certificates.iter().map(Identity::read).collect();
        Ok(Self {
            roots: Arc::new(roots),
            insecure,
            identities: identities?,
            configs: Mutex::default(),
        })
    }

    /// Whether the certificate of this host is not verified.
    pub(super) fn is_insecure(&self, host: &str) -> bool {
        any_matches(&self.insecure, host)
    }

    pub(super) fn config(
        &self,
        host: &str,
        alpn: &[Vec<u8>],
    ) -> Result<Arc<ClientConfig>, rustls::Error> {
        let profile = Profile {
            alpn: alpn.to_vec(),
            is_insecure: self.is_insecure(host),
            identity: self
                .identities
                .iter()
                .position(|identity| any_matches(std::slice::from_ref(&identity.host), host)),
        };
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = configs.get(&profile) {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.build(&profile)?);
        configs.insert(profile, Arc::clone(&config));
        Ok(config)
    }

    fn build(&self, profile: &Profile) -> Result<ClientConfig, rustls::Error> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?;
        let builder = if profile.is_insecure {
            let verifier =
                WebPkiServerVerifier::builder_with_provider(Arc::clone(&self.roots), provider())
                    .build()
                    .map_err(|error| rustls::Error::General(error.to_string()))?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anyone(verifier)))
        } else {
            builder.with_root_certificates(Arc::clone(&self.roots))
        };
        let mut config = match profile.identity.and_then(|at| self.identities.get(at)) {
            Some(identity) => {
                builder.with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())?
            }
            None => builder.with_client_cert_resolver(Arc::new(Unprepared)),
        };
        config.alpn_protocols.clone_from(&profile.alpn);
        Ok(config)
    }
}

impl Identity {
    fn read(given: &ClientCertificate) -> Result<Self, Error> {
        let unusable = || Error::ClientCertificate {
            what: given.file.clone(),
        };
        let is_pem = memchr::memmem::find(&given.bytes, b"-----BEGIN ").is_some();
        let read = if is_pem {
            from_pem(&given.bytes)
        } else {
            from_pkcs12(&given.bytes, &given.passphrase)
        };
        let (chain, key) = read.ok_or_else(unusable)?;
        let identity = Self {
            host: given.host.clone(),
            chain,
            key,
        };
        let signs = provider()
            .key_provider
            .load_private_key(identity.key.clone_key());
        signs.ok().ok_or_else(unusable)?;
        Ok(identity)
    }
}

type ChainAndKey = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn from_pem(bytes: &[u8]) -> Option<ChainAndKey> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty())?;
    Some((chain, PrivateKeyDer::from_pem_slice(bytes).ok()?))
}

fn from_pkcs12(bytes: &[u8], passphrase: &Passphrase) -> Option<ChainAndKey> {
    let policy = Pkcs12ImportPolicy::Relaxed;
    let store = KeyStore::from_pkcs12(bytes, &passphrase.0, policy).ok()?;
    let (_, found) = store.private_key_chain()?;
    let der = |certificate: &p12_keystore::Certificate| certificate.as_der().to_vec().into();
    let chain: Vec<_> = found.certs().iter().map(der).collect();
    let key = PrivateKeyDer::try_from(found.key().as_der().to_vec());
    (!chain.is_empty()).then_some((chain, key.ok()?))
}

/// Has no certificate, and notes that it was asked for one.
#[derive(Debug)]
struct Unprepared;

impl ResolvesClientCert for Unprepared {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        // Outside of `asked` nobody wants to know.
        let _ = ASKED.try_with(|asked| asked.set(true));
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// Takes any certificate, though its owner must still hold the key.
#[derive(Debug)]
struct Anyone(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
