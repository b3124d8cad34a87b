//! Host names by pattern.

/// Whether any of the globs matches; `*` stands for any run of characters, `?` for one.
pub(super) fn any_matches(globs: &[String], host: &str) -> bool {
    globs
        .iter()
        .any(|glob| matches(glob.as_bytes(), host.as_bytes()))
}

fn matches(glob: &[u8], text: &[u8]) -> bool {
    match (glob.first(), text.first()) {
        (None, None) => true,
        (Some(b'*'), _) => {
            matches(&glob[1..], text) || (!text.is_empty() && matches(glob, &text[1..]))
        }
        (Some(b'?'), Some(_)) => matches(&glob[1..], &text[1..]),
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b) && matches(&glob[1..], &text[1..]),
        _ => false,
    }
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
        ] {
            assert_eq!(
                any_matches(&[glob.to_owned()], host),
                expected,
                "{glob} {host}"
            );
        }
        assert!(!any_matches(&[], "anything"));
    }
}
