//! What a page says to the person before it, as far as findings need it.

/// Whether the page asks for a password.
pub(super) fn asks_password(page: &str) -> bool {
    let kinds = ["type=\"password\"", "type='password'", "type=password"];
    kinds.iter().any(|kind| page.contains(kind))
}

/// Whether the page, in lower case, speaks of the redirect URI: not in a field or an address that
/// carries it on, which is what every other page of a login does.
pub(super) fn mentions_redirect_uri(page: &str) -> bool {
    let text = shown(page);
    !asks_password(page) && REDIRECT_WORDS.iter().any(|word| text.contains(word))
}

/// The text between tags, without scripts and styles.
fn shown(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some(open) = rest.find('<') {
        text.push_str(&rest[..open]);
        text.push(' ');
        let tag = &rest[open..];
        let hidden = ["script", "style"];
        let hidden = hidden.iter().find(|name| tag[1..].starts_with(*name));
        let closing = hidden.map(|name| format!("</{name}"));
        let end = closing.map_or(Some(0), |closing| tag.find(&closing));
        let behind = end.and_then(|at| Some(at + tag[at..].find('>')? + 1));
        rest = behind.map_or("", |at| &tag[at..]);
    }
    text + rest
}

const REDIRECT_WORDS: &[&str] = &[
    "redirect_uri",
    "redirect uri",
    "redirect url",
    "reply url",
    "reply address",
    "aadsts50011",
    "callback",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_speaks_of_the_redirect_uri_where_a_person_reads_it() {
        for (page, expected) in [
            ("<p>error 400: redirect_uri_mismatch</p>", true),
            ("the redirect uri is not registered", true),
            ("<p>aadsts50011: the <b>reply url</b> differs", true),
            (
                "<input type=hidden name=redirect_uri value='https://a/cb'>",
                false,
            ),
            (
                "<a href='/reset?redirect_uri=https://a/cb'>forgotten?</a>",
                false,
            ),
            (
                "<script>var redirect_uri = '<p>';</script><p>who are you?</p>",
                false,
            ),
            ("<style>.callback {}</style >hello", false),
            ("<p>redirect_uri <input type=password>", false),
            ("<script>redirect_uri", false),
            ("a < b, and redirect_uri", false),
            ("", false),
        ] {
            assert_eq!(mentions_redirect_uri(page), expected, "{page}");
        }
    }
}
