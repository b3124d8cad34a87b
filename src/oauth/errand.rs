//! What browsers ask for on their own account, which is no part of anybody's session.

use crate::model::Url;

/// Whether a browser asks for this URL unbidden, whatever page it shows.
pub fn is_errand(url: &Url) -> bool {
    let is_picture = url.path == "/favicon.ico";
    // The host of this one is a server that people log in at.
    let is_list = url.host == "accounts.google.com" && url.path == "/ListAccounts";
    is_picture || is_list || is_errand_host(&url.host)
}

/// Whether only a browser's own errands go to this host.
pub fn is_errand_host(host: &str) -> bool {
    HOSTS.contains(&host.to_ascii_lowercase().as_str())
}

/// Updates, lists of what is dangerous, and the like, of Chromium and of Firefox.
const HOSTS: &[&str] = &[
    "android.clients.google.com",
    "aus5.mozilla.org",
    "clients2.google.com",
    "clientservices.googleapis.com",
    "content-autofill.googleapis.com",
    "content-signature-2.cdn.mozilla.net",
    "detectportal.firefox.com",
    "edgedl.me.gvt1.com",
    "firefox.settings.services.mozilla.com",
    "incoming.telemetry.mozilla.org",
    "location.services.mozilla.com",
    "mtalk.google.com",
    "optimizationguide-pa.googleapis.com",
    "push.services.mozilla.com",
    "redirector.gvt1.com",
    "safebrowsing.googleapis.com",
    "update.googleapis.com",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errand_is_told_from_a_login_at_the_same_host() {
        for (url, expected) in [
            ("https://accounts.google.com/ListAccounts?gpsia=1", true),
            ("https://accounts.google.com/o/oauth2/v2/auth", false),
            ("https://update.googleapis.com/service/update2/json", true),
            ("https://as.example/favicon.ico", true),
            ("https://as.example/token", false),
        ] {
            let parsed = Url::parse(url).expect(url);
            assert_eq!(is_errand(&parsed), expected, "{url}");
        }
    }
}
