//! Host names by pattern.

/// Whether any of the globs matches; `*` stands for any run of characters, `?` for one.
pub(super) fn any_matches(globs: &[String], host: &str) -> bool {
    globs
        .iter()
        .any(|glob| matches(glob.as_bytes(), host.as_bytes()))
}

/// Only the last star that was met can still need to stand for more: what stood before it is
/// matched as early as it can be.
fn matches(glob: &[u8], text: &[u8]) -> bool {
    let (mut in_glob, mut in_text) = (0, 0);
    let mut star = None;
    while in_text < text.len() {
        match (glob.get(in_glob), star) {
            (Some(b'*'), _) => {
                star = Some((in_glob, in_text));
                in_glob += 1;
            }
            (Some(&wanted), _) if wanted == b'?' || wanted.eq_ignore_ascii_case(&text[in_text]) => {
                in_glob += 1;
                in_text += 1;
            }
            (_, Some((at, taken))) => {
                star = Some((at, taken + 1));
                in_glob = at + 1;
                in_text = taken + 1;
            }
            _ => return false,
        }
    }
    glob[in_glob..].iter().all(|rest| *rest == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_found_by_its_glob() {
        for (glob, host, expected) in [
            ("idp.example", "IDP.example", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("id?.example", "idp.example", true),
            ("idp.example", "idp.example.evil", false),
            ("*", "idp.example", true),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("?", "", false),
            ("a*b*c", "axbxbc", true),
            ("a*b*c", "axbxb", false),
            ("*.example.*", "a.example.example.org", true),
            ("**a", "ba", true),
            ("*?", "ab", true),
            ("a*?", "a", false),
        ] {
            assert_eq!(
                any_matches(&[glob.to_owned()], host),
                expected,
                "{glob} {host}"
            );
        }
        assert!(!any_matches(&[], "anything"));
    }

    #[test]
    fn many_stars_take_no_more_than_each_place_for_each() {
        let glob = "*a".repeat(40) + "b";
        assert!(!any_matches(&[glob], &"a".repeat(250)));
    }
}
