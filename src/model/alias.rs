//! An alias: the local origin by which a client calls a server.

use crate::model::Url;

/// A server's origin, and the local one that stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The server's: `https://idp.example`.
    pub origin: String,
    /// Ours, as clients call it: `http://127.0.0.1:9000`.
    pub local: String,
}

impl Alias {
    /// A text with ours in the place of the server's: as it stands, in JSON, and as one parameter
    /// of another URL.
    pub fn localised(&self, text: &[u8]) -> Vec<u8> {
        let spellings: [fn(&str) -> String; 4] = [
            str::to_owned,
            |text| text.replace('/', "\\/"),
            |text| text.replace(':', "%3A").replace('/', "%2F"),
            |text| text.replace(':', "%3a").replace('/', "%2f"),
        ];
        spellings.iter().fold(text.to_vec(), |text, spelled| {
            replaced(&text, &spelled(&self.origin), &spelled(&self.local))
        })
    }

    /// The same for what is text.
    pub fn localised_text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.localised(text.as_bytes())).into_owned()
    }

    /// The URL, without its query, as the client calls it.
    pub fn endpoint(&self, url: &Url) -> String {
        self.localised_text(&url.endpoint())
    }
}

/// Every occurrence that no longer name goes on from.
pub(crate) fn replaced(text: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    for found in memchr::memmem::find_iter(text, from) {
        let end = found + from.len();
        let goes_on = text
            .get(end)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(byte));
        if found < at || goes_on {
            continue;
        }
        out.extend_from_slice(&text[at..found]);
        out.extend_from_slice(to.as_bytes());
        at = end;
    }
    out.extend_from_slice(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_origin_becomes_ours_however_it_is_spelled() {
        let alias = Alias {
            origin: "https://idp.example".to_owned(),
            local: "http://127.0.0.1:9000".to_owned(),
        };
        for (text, expected) in [
            ("https://idp.example", "http://127.0.0.1:9000"),
            ("https://idp.example/t", "http://127.0.0.1:9000/t"),
            (r"https:\/\/idp.example\/t", r"http:\/\/127.0.0.1:9000\/t"),
            (
                "/cb?iss=https%3A%2F%2Fidp.example&x=1",
                "/cb?iss=http%3A%2F%2F127.0.0.1%3A9000&x=1",
            ),
            (
                "/cb?iss=https%3a%2f%2fidp.example",
                "/cb?iss=http%3a%2f%2f127.0.0.1%3a9000",
            ),
            ("https://idp.example.evil/", "https://idp.example.evil/"),
            ("https://idp.example:8443/", "https://idp.example:8443/"),
        ] {
            assert_eq!(alias.localised_text(text), expected, "{text}");
        }
    }
}
