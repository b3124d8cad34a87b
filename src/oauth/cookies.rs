//! The typed view of `cookies.yaml`: which cookies are known by name, and what may be said of them.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::words;
use crate::oauth::registry::Table;

words! {
    /// What may be said of a cookie.
    CookieClass {
        /// Not written.
        Drop = "drop",
        /// The known words of its value are kept.
        Keep = "keep",
        /// An identifier of somebody.
        Pseudonym = "pseudonym",
        /// Its value is replaced.
        Secret = "secret",
    }
}

/// A cookie whose name is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known<'a> {
    /// What may be said of it.
    pub class: CookieClass,
    /// The name as far as it is known.
    pub before: &'a str,
    /// The part of the name that is of somebody's making; empty where all of it is known.
    pub made: &'a str,
    /// The rest, known as well.
    pub after: &'a str,
}

/// What is known of a cookie by its name.
pub fn known(name: &str) -> Option<Known<'_>> {
    let prefixes = ["__Host-", "__Secure-"];
    let stripped = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix));
    let bare = stripped.unwrap_or(name);
    if let Some(class) = TABLE.names.get(bare) {
        return Some(Known {
            class: *class,
            before: name,
            made: "",
            after: "",
        });
    }
    TABLE.patterns.iter().find_map(|(pattern, class)| {
        let made = pattern.made(bare)?;
        let (before, after) = name.split_at(name.len() - pattern.after.len());
        Some(Known {
            class: *class,
            before: before.strip_suffix(made)?,
            made,
            after,
        })
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    names: Vec<String>,
    class: CookieClass,
    #[expect(
        dead_code,
        reason = "whose cookies they are is for the people who review the table"
    )]
    of: String,
}

#[expect(
    clippy::expect_used,
    reason = "the data is embedded, and a test reads it"
)]
static TABLE: LazyLock<Table<CookieClass>> = LazyLock::new(|| {
    let rows: Vec<Row> =
        serde_yaml::from_str(include_str!("cookies.yaml")).expect("cookies.yaml reads");
    Table::of(rows.into_iter().map(|row| (row.names, row.class)))
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_known_by_its_name_and_what_is_made_up_in_it_is_told() {
        for (name, expected) in [
            ("JSESSIONID", Some((CookieClass::Secret, ""))),
            (
                "__Host-user_session_same_site",
                Some((CookieClass::Secret, "")),
            ),
            ("__Secure-1PSID", Some((CookieClass::Secret, ""))),
            (
                ".AspNetCore.Correlation.k3v9x2m7q8",
                Some((CookieClass::Secret, "k3v9x2m7q8")),
            ),
            ("_shop_session", Some((CookieClass::Secret, "shop"))),
            ("c_user", Some((CookieClass::Pseudonym, ""))),
            ("logged_in", Some((CookieClass::Keep, ""))),
            ("_ga_1ABCDEF", Some((CookieClass::Drop, "1ABCDEF"))),
            ("jsessionid", None),
            ("_session", None),
            ("jane@corp.example", None),
        ] {
            let told = known(name).map(|known| (known.class, known.made));
            assert_eq!(told, expected, "{name}");
        }
    }
}
