//! A browser for one run: a fresh profile, the proxy and its trust in it, nothing of the user's
//! touched.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::launch::client::on_path;
use crate::launch::{Environment, Error};

/// A browser that can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browser {
    program: PathBuf,
    family: Family,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Chromium,
    Firefox,
}

/// What a browser must know of the proxy.
#[derive(Clone, Copy, Debug)]
pub struct Proxy<'a> {
    /// Its URL.
    pub url: &'a str,
    /// The authority's certificate, PEM.
    pub ca_pem: &'a str,
    /// The SHA-256 of the key that its certificates are for, base64.
    pub key_hash: &'a str,
}

impl Browser {
    /// The one that is named, or the first that is found.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub fn find(named: Option<&Path>) -> Result<Self, Error> {
        if let Some(program) = named {
            let name = program.to_string_lossy().to_lowercase();
            let family = if name.contains("firefox") {
                Family::Firefox
            } else {
                Family::Chromium
            };
            let program = program.to_owned();
            return Ok(Self { program, family });
        }
        let found = KNOWN
            .iter()
            .find_map(|(name, family)| Some((on_path(name)?, *family)));
        let (program, family) = found.ok_or(Error::NoBrowser)?;
        Ok(Self { program, family })
    }

    /// The command that opens a URL, with a profile made for it among the files of the environment.
    ///
    /// # Errors
    ///
    /// Where the profile cannot be made.
    pub async fn command(
        &self,
        proxy: Proxy<'_>,
        environment: &Environment,
        url: &str,
        extra: &[OsString],
    ) -> Result<Vec<OsString>, Error> {
        let profile = environment.directory().join("browser");
        std::fs::create_dir(&profile).map_err(Error::Prepare)?;
        let mut command = vec![self.program.clone().into_os_string()];
        match self.family {
            Family::Chromium => {
                command.extend(CHROMIUM.iter().map(OsString::from));
                command.push(format!("--proxy-server={}", proxy.url).into());
                command.push(
                    format!("--ignore-certificate-errors-spki-list={}", proxy.key_hash).into(),
                );
                command.push(joined("--user-data-dir=", &profile));
                // Its sandbox refuses to start for root, and so would the browser.
                if std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
                    command.push("--no-sandbox".into());
                }
            }
            Family::Firefox => {
                firefox_profile(&profile, proxy, environment).await?;
                command.extend(["--no-remote".into(), "--profile".into()]);
                command.push(profile.into_os_string());
            }
        }
        command.extend_from_slice(extra);
        command.push(url.into());
        Ok(command)
    }
}

async fn firefox_profile(
    profile: &Path,
    proxy: Proxy<'_>,
    environment: &Environment,
) -> Result<(), Error> {
    let authority = proxy.url.rsplit('/').next().unwrap_or_default();
    let (host, port) = authority.rsplit_once(':').unwrap_or_default();
    let preferences = FIREFOX.replace("{host}", host).replace("{port}", port);
    std::fs::write(profile.join("user.js"), preferences).map_err(Error::Prepare)?;
    let certificate = environment.directory().join("browser-ca.pem");
    std::fs::write(&certificate, proxy.ca_pem).map_err(Error::Prepare)?;
    let store = joined("sql:", profile);
    let steps: [&[OsString]; 2] = [
        &["-N".into(), "--empty-password".into()],
        &[
            "-A".into(),
            "-n".into(),
            "authtape".into(),
            "-t".into(),
            "C,,".into(),
            "-i".into(),
            certificate.into_os_string(),
        ],
    ];
    for step in steps {
        let output = Command::new("certutil")
            .arg("-d")
            .arg(&store)
            .args(step)
            .output()
            .await
            .map_err(|source| match source.kind() {
                std::io::ErrorKind::NotFound => Error::NoCertutil,
                _ => Error::Prepare(source),
            })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Error::Prepare(std::io::Error::other(said)));
        }
    }
    Ok(())
}

fn joined(option: &str, path: &Path) -> OsString {
    let mut joined = OsString::from(option);
    joined.push(path);
    joined
}

const KNOWN: &[(&str, Family)] = &[
    ("chromium", Family::Chromium),
    ("chromium-browser", Family::Chromium),
    ("google-chrome", Family::Chromium),
    ("google-chrome-stable", Family::Chromium),
    ("microsoft-edge", Family::Chromium),
    ("brave-browser", Family::Chromium),
    ("firefox", Family::Firefox),
    ("firefox-esr", Family::Firefox),
];

/// What is on this machine goes through the proxy too, and the browser makes no calls of its own.
const CHROMIUM: &[&str] = &[
    "--proxy-bypass-list=<-loopback>",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-background-mode",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication,CertificateTransparencyComponentUpdater,NetworkTimeServiceQuerying,AccountConsistency",
    "--component-updater=url-source=data:",
    "--disable-component-extensions-with-background-pages",
    "--extensions-update-frequency=172800",
    "--metrics-recording-only",
    "--no-pings",
    "--no-service-autorun",
    "--password-store=basic",
];

const FIREFOX: &str = r#"user_pref("network.proxy.type", 1);
user_pref("network.proxy.http", "{host}");
user_pref("network.proxy.http_port", {port});
user_pref("network.proxy.ssl", "{host}");
user_pref("network.proxy.ssl_port", {port});
user_pref("network.proxy.no_proxies_on", "");
user_pref("network.proxy.allow_hijacking_localhost", true);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.trr.mode", 5);
user_pref("app.normandy.enabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.newtabpage.enabled", false);
user_pref("browser.safebrowsing.downloads.remote.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.homepage_override.mstone", "ignore");
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("datareporting.healthreport.uploadEnabled", false);
user_pref("dom.push.connection.enabled", false);
user_pref("extensions.systemAddon.update.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("browser.region.network.url", "");
user_pref("browser.search.update", false);
user_pref("geo.provider.network.url", "");
user_pref("services.settings.server", "data:,");
user_pref("toolkit.telemetry.enabled", false);
user_pref("toolkit.telemetry.server", "data:,");
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_profile_is_fresh_and_nothing_bypasses_the_proxy() {
        let environment =
            Environment::prepare("http://127.0.0.1:4000", "", |_| None).expect("prepared");
        let browser = Browser::find(Some(Path::new("/opt/chrome"))).expect("named");
        let proxy = Proxy {
            url: "http://127.0.0.1:4000",
            ca_pem: "",
            key_hash: "aGFzaA==",
        };
        let extra = [OsString::from("--headless=new")];
        let command = browser
            .command(proxy, &environment, "https://idp.example/login", &extra)
            .await
            .expect("a command");
        let profile = joined("--user-data-dir=", &environment.directory().join("browser"));
        for expected in [
            profile,
            "--proxy-server=http://127.0.0.1:4000".into(),
            "--proxy-bypass-list=<-loopback>".into(),
            "--ignore-certificate-errors-spki-list=aGFzaA==".into(),
            "--headless=new".into(),
        ] {
            assert!(command.contains(&expected), "{}", expected.display());
        }
        assert_eq!(command.last(), Some(&"https://idp.example/login".into()));
    }
}
