//! The machine a cassette is put into: proxy, tape and file, wired together.
//!
//! [`record`](fn@record) puts a recorder between the proxy and the real servers;
//! [`replay`](fn@replay) puts a player in their place; [`extend`] puts a player before a recorder.
//! Each gives a [`Running`], whose end says what came of it.

mod arrival;
mod mirror;
mod mode;
mod playback;
mod recorder;
mod reel;
mod witness;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use mode::{Deed, Extending, RecordMode, extend};
pub use playback::{MissListener, PlayedSession};
pub use reel::{Recorded, Unreached};

use crate::cassette::line_of_secret;
use crate::deck::mirror::Mirror;
use crate::deck::playback::Playback;
use crate::deck::recorder::Recorder;
use crate::deck::reel::Reel;
use crate::library::{self, Loaded, Overwrite, PartFile};
use crate::proxy::{
    self, Authority, Bound, ClientCertificate, Detour, Limits, Passphrase, Password, Reach,
    Resolve, Reverse, Serving, Upstream, UpstreamOptions,
};
use crate::record::{self, Laid, Refused, Tape};
use crate::redact::{Interaction, Profile};
use crate::replay::{self, Outline, PlayOptions, Repertoire, Report, Sessions, Unmintable};
use crate::transcript;

/// Why a run cannot start, or could not be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A cassette cannot be read or written.
    #[error(transparent)]
    Library(#[from] library::Error),
    /// The proxy cannot start.
    #[error(transparent)]
    Proxy(#[from] proxy::Error),
    /// A file of certificates cannot be read.
    #[error("cannot read {}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The run has ended before.
    #[error("the run has ended before")]
    Ended,
    /// The disk refused a write while recording.
    #[error("the recording could not be written on; what was written before is in {}, finish it with `authtape recover {}`", part.display(), part.display())]
    Unfinished {
        /// The `.part` file.
        part: PathBuf,
        /// What the disk said.
        source: library::Error,
    },
    /// The cassette to record on shows another amount than is to be recorded.
    #[error("{} was recorded with `profile: {profile}`, and what is recorded behind it must be, too; {}", path.display(), as_before(*profile))]
    Profile {
        /// The cassette.
        path: PathBuf,
        /// Its profile.
        profile: Profile,
    },
    /// An answer of a cassette cannot be made.
    #[error("cannot play {}, line {line}", path.display())]
    Unplayable {
        /// The cassette.
        path: PathBuf,
        /// Where what cannot be made is declared, counted from 1.
        line: u64,
        /// Why.
        source: Unmintable,
    },
    /// A transcript cannot be told.
    #[error(transparent)]
    Transcript(#[from] transcript::Error),
    /// The audit refused the finished cassette.
    #[error("nothing was written; the interactions are in {}", part.display())]
    Refused {
        /// The `.part` file.
        part: PathBuf,
        /// What it found.
        source: Refused,
    },
}

/// How the proxy of a run stands in the network.
#[derive(Clone, Debug)]
pub struct WireOptions {
    /// Where to listen; port 0 takes any that is free.
    pub listen: SocketAddr,
    /// A kept authority; one is made for the run where there is none.
    pub ca_dir: Option<PathBuf>,
    /// Globs of the hosts that are opened; all where there are none.
    pub hosts: Vec<String>,
    /// PEM files of roots to trust besides the system's.
    pub upstream_ca: Vec<PathBuf>,
    /// Names that are not looked up.
    pub resolve: Vec<Resolve>,
    /// Speak HTTP/1.1 only.
    pub http1: bool,
    /// Local origins that stand for servers.
    pub reverse: Vec<Reverse>,
    /// Where to take TLS from clients that know of no proxy.
    pub tls_listen: Option<SocketAddr>,
    /// Which servers are reached through another proxy.
    pub detour: Detour,
    /// Globs of hosts whose certificate is not verified, which the cassette then says.
    pub insecure_upstream: Vec<String>,
    /// Files with a certificate and its key, each shown to the hosts that its glob matches.
    pub client_certificates: Vec<(String, PathBuf)>,
    /// What opens those of them that are PKCS#12.
    pub passphrase: Passphrase,
    /// What clients must know; without one the proxy listens on this machine only.
    pub password: Option<Password>,
    /// How much is taken of each side, and how long it is waited for.
    pub limits: Limits,
}

impl Default for WireOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            ca_dir: None,
            hosts: Vec::new(),
            upstream_ca: Vec::new(),
            resolve: Vec::new(),
            http1: false,
            reverse: Vec::new(),
            tls_listen: None,
            detour: Detour::none(),
            insecure_upstream: Vec::new(),
            client_certificates: Vec::new(),
            passphrase: Passphrase::default(),
            password: None,
            limits: Limits::default(),
        }
    }
}

/// What is recorded, and where.
#[derive(Clone, Debug)]
pub struct RecordOptions {
    /// The cassette.
    pub cassette: PathBuf,
    /// Whether one that exists is replaced.
    pub overwrite: Overwrite,
    /// What is kept.
    pub keep: record::Options,
    /// How the proxy stands in the network.
    pub wire: WireOptions,
    /// Told of what is written, as the cassette has it.
    pub on_laid: Option<LaidListener>,
}

/// Told of what is written, one after the other, before the next can be: it is not to wait for
/// anybody.
#[derive(Clone)]
pub struct LaidListener(Arc<dyn Fn(&Laid) + Send + Sync>);

impl LaidListener {
    /// Calls this with each.
    pub fn new(listener: impl Fn(&Laid) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }

    /// Tells it of something.
    fn tell(&self, laid: &Laid) {
        (self.0)(laid);
    }
}

impl fmt::Debug for LaidListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LaidListener")
    }
}

/// What is replayed, and how.
pub struct ReplayOptions {
    /// The cassettes, or directories of them.
    pub cassettes: Vec<PathBuf>,
    /// How the player behaves.
    pub play: PlayOptions,
    /// How the proxy stands in the network; there is no way out, whatever it says.
    pub wire: WireOptions,
    /// Told of each miss as it comes.
    pub on_miss: MissListener,
    /// Whether what is said is remembered, and told as a transcript at the end.
    pub transcribe: bool,
    /// Told of what is said as a recording would have it, redacted.
    pub on_laid: Option<LaidListener>,
}

/// A run: of a [`Recording`], or of a [`Replaying`].
pub struct Running<Deck> {
    serving: Serving,
    authority: Arc<Authority>,
    password: Option<Password>,
    roots: Vec<(PathBuf, Vec<u8>)>,
    deck: Deck,
}

/// A cassette that is being written.
pub struct Recording {
    ignored: Option<PathBuf>,
    reel: Arc<Reel>,
    sync: tokio::task::JoinHandle<()>,
}

/// A replay that has ended.
#[derive(Clone, Debug)]
pub struct Played {
    /// How it went in all.
    pub report: Report,
    /// How each session went, by its name.
    pub sessions: Vec<PlayedSession>,
}

/// Cassettes that are being played.
pub struct Replaying {
    playback: Playback,
    /// What a transcript calls what is played.
    cassette: String,
    notes: Vec<String>,
}

/// Starts recording; the proxy listens and the file exists when this returns.
///
/// # Errors
///
/// Where the cassette exists, the file cannot be made, or the proxy cannot start.
pub async fn record(options: RecordOptions) -> Result<Running<Recording>, Error> {
    let Wired {
        bound,
        upstream,
        authority,
        roots,
        password,
    } = wire_up(&options.wire).await?;
    let now = OffsetDateTime::now_utc()
        .replace_nanosecond(0)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let tape = Tape::new(keep(&options), now.format(&Rfc3339).unwrap_or_default());
    let ignored = kept_out(&options, options.overwrite)?;
    let file = PartFile::create(&options.cassette, options.overwrite, &tape.begin())?;
    let reel = Arc::new(Reel::new(tape, file, options.on_laid));
    let cap = options.wire.limits.body;
    let recorder = Recorder::new(upstream.clone(), Arc::clone(&reel), cap);
    let wire = wire(options.wire, bound, &authority);
    let started = proxy::serve(wire, Reach::Live(upstream), recorder).await;
    let recording = Recording::begun(reel, ignored);
    let serving = match started {
        Ok(serving) => serving,
        Err(error) => return Err(recording.undone(error)),
    };
    Ok(Running {
        serving,
        authority,
        password,
        roots,
        deck: recording,
    })
}

/// Starts replaying; the proxy listens when this returns, and opens no socket outwards.
///
/// # Errors
///
/// Where a cassette cannot be read, or the proxy cannot start.
pub async fn replay(options: ReplayOptions) -> Result<Running<Replaying>, Error> {
    let (repertoire, notes) = repertoire(&options.cassettes, &options.play)?;
    let authority = authority(&options.wire)?;
    let sessions = Arc::new(Sessions::new(repertoire));
    let mut playback = Playback::new(sessions, options.on_miss, options.wire.limits);
    if options.transcribe {
        playback = playback.witnessed();
    }
    if let Some(on_laid) = options.on_laid {
        playback = playback.mirrored(Mirror::new(on_laid));
    }
    let password = options.wire.password.clone();
    let bound = proxy::bind(options.wire.listen, password.clone()).await?;
    let wire = proxy::Options {
        hosts: Vec::new(),
        ..wire(options.wire, bound, &authority)
    };
    let serving = proxy::serve(wire, Reach::Offline, playback.clone()).await?;
    Ok(Running {
        serving,
        authority,
        password,
        roots: Vec::new(),
        deck: Replaying {
            playback,
            cassette: called(&options.cassettes),
            notes,
        },
    })
}

/// What a transcript calls what is played: the same wherever the files are.
fn called(cassettes: &[PathBuf]) -> String {
    let names = cassettes.iter().map(|path| {
        let name = path.file_name().unwrap_or(path.as_os_str());
        name.to_string_lossy().into_owned()
    });
    names.collect::<Vec<_>>().join(", ")
}

/// What of a cassette is played otherwise than a client may need it, with the cassette's name.
fn mintable(path: &Path, checked: Result<Vec<String>, Unmintable>) -> Result<Vec<String>, Error> {
    let source = match checked {
        Ok(notes) => {
            let named = |note| format!("{}, {note}", path.display());
            return Ok(notes.into_iter().map(named).collect());
        }
        Err(source) => source,
    };
    let bytes = library::read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    Err(Error::Unplayable {
        path: path.to_owned(),
        line: line_of_secret(&text, source.interaction, &source.label),
        source,
    })
}

impl<Deck> Running<Deck> {
    /// Where the proxy listens.
    pub fn address(&self) -> SocketAddr {
        self.serving.address()
    }

    /// The proxy's URL, for clients on this machine.
    pub fn proxy_url(&self) -> String {
        let mut address = self.address();
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("http://{address}")
    }

    /// What clients set as their proxy: its URL, with the password where one is asked for.
    pub fn client_url(&self) -> String {
        let url = self.proxy_url();
        match &self.password {
            Some(password) => url.replacen("://", &format!("://{}@", password.userinfo()), 1),
            None => url,
        }
    }

    /// Whether clients are asked for a password.
    pub fn asks_for_password(&self) -> bool {
        self.password.is_some()
    }

    /// Never calls this address, which is one of this program's own.
    pub fn never_call(&self, own: SocketAddr) {
        self.serving.never_call(own);
    }

    /// The origins of servers, each with the local one that stands for it.
    pub fn reverse(&self) -> &[(String, String)] {
        self.serving.reverse()
    }

    /// Where TLS is taken from clients that know of no proxy.
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.serving.tls_address()
    }

    /// The certificate that clients must trust.
    pub fn ca_pem(&self) -> &str {
        self.authority.ca_pem()
    }

    /// What was read of a file of roots, which may be a pipe and not be there to be read again.
    pub fn roots_of(&self, path: &Path) -> Option<&[u8]> {
        let mut roots = self.roots.iter();
        roots.find_map(|(read, pem)| (read == path).then_some(pem.as_slice()))
    }

    /// The SHA-256 of the key in the certificates that clients are shown, base64.
    pub fn key_hash(&self) -> String {
        self.authority.key_hash()
    }
}

impl Running<Recording> {
    /// The `.gitignore` that was given a line, so that git leaves alone what is not redacted.
    pub fn ignored(&self) -> Option<&Path> {
        self.deck.ignored.as_deref()
    }

    /// Waits until there are more secrets than are remembered: from then on bodies are dropped.
    pub async fn ledger_full(&self) {
        self.deck.reel.full().await;
    }

    /// Ends the run: what is in flight ends within two seconds, then the cassette is finished.
    /// Where nothing was recorded, no file is left.
    ///
    /// # Errors
    ///
    /// Where the cassette cannot be written, or the audit refuses it; the `.part` is then kept.
    pub async fn stop(self) -> Result<Recorded, Error> {
        self.serving.shutdown().await;
        self.deck.end()
    }
}

impl Recording {
    /// A recording whose file is asked for now and then to be kept.
    fn begun(reel: Arc<Reel>, ignored: Option<PathBuf>) -> Self {
        let sync = tokio::spawn(sync_now_and_then(Arc::clone(&reel)));
        Self {
            ignored,
            reel,
            sync,
        }
    }

    /// Leaves nothing of a recording that could not start, and says why.
    fn undone(self, error: proxy::Error) -> Error {
        self.sync.abort();
        let discarded = self.reel.unwind().map(|wound| wound.file.discard());
        match discarded {
            Some(Err(failed)) => failed.into(),
            _ => error.into(),
        }
    }

    fn end(self) -> Result<Recorded, Error> {
        self.sync.abort();
        let wound = self.reel.unwind().ok_or(Error::Ended)?;
        wound.finish()
    }
}

impl Running<Replaying> {
    /// What is played otherwise than a client may need it.
    pub fn notes(&self) -> &[String] {
        &self.deck.notes
    }

    /// Ends the run: what is in flight ends within two seconds.
    pub async fn stop(self) -> Report {
        self.serving.shutdown().await;
        self.deck.playback.report()
    }

    /// Ends the run as [`stop`](Self::stop) does, and tells of each session by itself.
    ///
    /// # Errors
    ///
    /// Where redaction does not vouch for a transcript.
    pub async fn stop_told(self) -> Result<Played, Error> {
        self.serving.shutdown().await;
        let Replaying {
            playback, cassette, ..
        } = self.deck;
        Ok(Played {
            report: playback.report(),
            sessions: playback.told(&cassette)?,
        })
    }
}

/// What a run that reaches servers stands on.
struct Wired {
    bound: Bound,
    upstream: Upstream,
    authority: Arc<Authority>,
    roots: Vec<(PathBuf, Vec<u8>)>,
    password: Option<Password>,
}

async fn wire_up(options: &WireOptions) -> Result<Wired, Error> {
    let password = options.password.clone();
    let bound = proxy::bind(options.listen, password.clone()).await?;
    let roots = options.upstream_ca.iter();
    let roots = roots.map(|path| Ok((path.clone(), read(path)?)));
    let roots = roots.collect::<Result<Vec<_>, Error>>()?;
    // The first randomness of a process takes as long as all the rest, the roots meanwhile.
    let (upstream, authority) = std::thread::scope(|scope| {
        let authority = scope.spawn(|| authority(options));
        let upstream = upstream(options, &roots);
        let authority = authority
            .join()
            .unwrap_or_else(|panic| resume_unwind(panic));
        (upstream, authority)
    });
    Ok(Wired {
        bound,
        upstream: upstream?,
        authority: authority?,
        roots,
        password,
    })
}

/// What is kept; the cassette says whose certificate was not verified.
fn keep(options: &RecordOptions) -> record::Options {
    record::Options {
        insecure_upstream: options.wire.insecure_upstream.clone(),
        ..options.keep.clone()
    }
}

fn as_before(profile: Profile) -> &'static str {
    match profile {
        Profile::Public => "give --public",
        Profile::Raw => "give --unsafe-raw",
        _ => "leave out --public and --unsafe-raw",
    }
}

/// What these cassettes, and those of these directories, have to play, and what of it is played
/// otherwise than a client may need it.
fn repertoire(paths: &[PathBuf], play: &PlayOptions) -> Result<(Repertoire, Vec<String>), Error> {
    let paths = library::cassettes_at(paths)?;
    let outlined = |interaction: &Interaction| {
        let checked = replay::check([interaction]);
        (Outline::of(interaction), checked)
    };
    let (mut repertoire, mut notes) = (Repertoire::new(play), Vec::new());
    library::load_all(&paths, outlined, |path, loaded| -> Result<_, Error> {
        let name = path.display().to_string();
        match loaded {
            Loaded::Whole(cassette) => {
                let checked = replay::check(&cassette.interactions);
                notes.extend(mintable(path, checked)?);
                repertoire.add(name, cassette);
            }
            Loaded::Parts(header, text, entries) => {
                let mut outlines = Vec::with_capacity(entries.len());
                for (at, (outline, checked)) in entries {
                    notes.extend(mintable(path, checked)?);
                    outlines.push((at, outline));
                }
                repertoire.add_text(name, &header, text, outlines);
            }
        }
        Ok(())
    })?;
    Ok((repertoire, notes))
}

/// Keeps a file that is not to be redacted out of git; the `.gitignore` that was given a line.
fn kept_out(
    options: &RecordOptions,
    overwrite: Overwrite,
) -> Result<Option<PathBuf>, library::Error> {
    if options.keep.profile != Profile::Raw {
        return Ok(None);
    }
    library::refuse_hidden(&options.cassette)?;
    library::refuse_taken(&options.cassette, overwrite)?;
    library::keep_out_of_git(&options.cassette)
}

fn wire(options: WireOptions, bound: Bound, authority: &Arc<Authority>) -> proxy::Options {
    let WireOptions {
        hosts,
        http1,
        reverse,
        tls_listen,
        limits,
        ..
    } = options;
    proxy::Options {
        bound,
        authority: Arc::clone(authority),
        hosts,
        http1,
        reverse,
        tls_listen,
        limits,
    }
}

fn authority(options: &WireOptions) -> Result<Arc<Authority>, Error> {
    let authority = match &options.ca_dir {
        Some(directory) => Authority::load(directory)?,
        None => Authority::generate(&options.hosts)?,
    };
    Ok(Arc::new(authority))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Pem {
        path: path.to_owned(),
        source,
    })
}

fn upstream(options: &WireOptions, roots: &[(PathBuf, Vec<u8>)]) -> Result<Upstream, Error> {
    let certificate = |(host, path): &(String, PathBuf)| {
        Ok::<_, Error>(ClientCertificate {
            host: host.clone(),
            file: path.display().to_string(),
            bytes: read(path)?.into(),
            passphrase: options.passphrase.clone(),
        })
    };
    let named = |(path, pem): &(PathBuf, Vec<u8>)| (path.display().to_string(), pem.clone());
    let certificates: Result<_, _> = options
        .client_certificates
        .iter()
        .map(certificate)
        .collect();
    Ok(Upstream::new(UpstreamOptions {
        extra_roots: roots.iter().map(named).collect(),
        resolve: options.resolve.clone(),
        detour: options.detour.clone(),
        insecure: options.insecure_upstream.clone(),
        client_certificates: certificates?,
        limits: options.limits,
    })?)
}

async fn sync_now_and_then(reel: Arc<Reel>) {
    loop {
        tokio::time::sleep(SYNC_EVERY).await;
        let reel = Arc::clone(&reel);
        // A disk may take its time, and who accepts connections and hears signals has none to give.
        if let Err(failed) = tokio::task::spawn_blocking(move || reel.sync()).await
            && let Ok(panic) = failed.try_into_panic()
        {
            resume_unwind(panic);
        }
    }
}

const SYNC_EVERY: Duration = Duration::from_millis(50);
