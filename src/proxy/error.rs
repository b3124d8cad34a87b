//! What keeps the proxy from starting.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the proxy cannot start, or its authority cannot be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}; another program may use the port, so give another one, or port 0 for any that is free"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The threads that serve connections cannot be started.
    #[error("cannot start the threads that serve connections")]
    Threads {
        /// Why.
        source: io::Error,
    },
    /// Listening beyond this machine takes a password.
    #[error(
        "{address} is reachable from other machines; set AUTHTAPE_PROXY_PASSWORD to what its clients must know, or listen on 127.0.0.1 or [::1]"
    )]
    NoPassword {
        /// The address.
        address: SocketAddr,
    },
    /// Listening beyond this machine takes a password that is not guessed.
    #[error(
        "{address} is reachable from other machines; AUTHTAPE_PROXY_PASSWORD must have at least 8 characters there"
    )]
    ShortPassword {
        /// The address.
        address: SocketAddr,
    },
    /// Listening beyond this machine is not offered where no password can be asked for.
    #[error(
        "{address} is reachable from other machines, and only clients of the proxy itself can be asked for a password; listen on 127.0.0.1 or [::1]"
    )]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// The password is none that a proxy's URL can carry.
    #[error(
        "AUTHTAPE_PROXY_PASSWORD is set, and is no password that a URL can carry; use letters, digits, and - . _ ~, at least one of them, or unset it"
    )]
    Password,
    /// `--limit` is not of its form.
    #[error("`{text}` is no limit; it is {expected}")]
    Limit {
        /// What was given.
        text: String,
        /// What there is, or what that one may be.
        expected: String,
    },
    /// A file of the kept authority cannot be read or written.
    #[error("cannot {verb} {}", path.display())]
    File {
        /// `read`, `write` or `make`.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A kept authority is there already.
    #[error("{} exists; an authority is never replaced, so give another directory", path.display())]
    AuthorityExists {
        /// The file.
        path: PathBuf,
    },
    /// The files are no authority that `authtape ca new` made.
    #[error("{} is no authority that `authtape ca new` made", path.display())]
    NoAuthority {
        /// The file.
        path: PathBuf,
    },
    /// The key of a kept authority is not its owner's alone.
    #[error("{} can be read or changed by others, who may sign with it; `chmod 600 {}`, or make a new authority with `authtape ca new`", path.display(), path.display())]
    AuthorityOpen {
        /// The file.
        path: PathBuf,
    },
    /// The key and the certificate of a kept authority are of two.
    #[error("ca.key and ca.pem in {} do not belong together; make a new authority with `authtape ca new` and have your clients trust that", path.display())]
    AuthorityUnlike {
        /// The directory.
        path: PathBuf,
    },
    /// The kept authority is too old.
    #[error("the authority in {} was valid until {until}; make a new one with `authtape ca new` and have your clients trust that", path.display())]
    AuthorityExpired {
        /// The directory.
        path: PathBuf,
        /// RFC 3339.
        until: String,
    },
    /// A certificate or key cannot be made.
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// A root certificate cannot be used.
    #[error(
        "{what} holds no certificate that can be used; a PEM file has a block `-----BEGIN CERTIFICATE-----`"
    )]
    Root {
        /// The file, or the system's store.
        what: String,
    },
    /// TLS cannot be set up.
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
    /// `--resolve` is not of its form.
    #[error(
        "`{text}` is not of the form HOST:PORT:ADDRESS, as in accounts.example.com:443:127.0.0.1 or accounts.example.com:443:127.0.0.1:8443"
    )]
    Resolve {
        /// What was given.
        text: String,
    },
    /// A proxy on the way is not of a kind that can be used.
    #[error(
        "`{text}` is no proxy that can be used; it is http://HOST:PORT, socks5://HOST:PORT or socks5h://HOST:PORT, with USER:PASSWORD@ before the host where it asks for them"
    )]
    UpstreamProxy {
        /// What was given, without the password.
        text: String,
    },
    /// The user or the password of a proxy on the way holds what ends a part of a URL.
    #[error(
        "the user or the password before `{text}` holds a character that ends a part of a URL; write it percent-encoded: / as %2F, # as %23, ? as %3F, @ as %40"
    )]
    UpstreamProxyUser {
        /// What was given, without user and password.
        text: String,
    },
    /// `--reverse` is not of its form.
    #[error(
        "`{text}` is no origin; it is https://HOST or http://HOST:PORT without a path, as in https://accounts.example.com or https://accounts.example.com=127.0.0.1:9000"
    )]
    Reverse {
        /// What was given.
        text: String,
    },
    /// A client certificate cannot be used.
    #[error(
        "{what} holds no certificate and key that can be used: it must be PEM with an unencrypted key, or PKCS#12 with its passphrase in AUTHTAPE_CLIENT_CERT_PASSPHRASE"
    )]
    ClientCertificate {
        /// The file.
        what: String,
    },
}
