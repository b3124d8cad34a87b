//! The rules, for a person.

use crate::diagnose::Rule;
use crate::diagnose::report::{Look, line, style_of, wrapped};

/// A list of rules, for a person.
pub fn rule_list(rules: impl IntoIterator<Item = &'static Rule>, look: Look) -> String {
    let mut out = String::new();
    let rules: Vec<_> = rules.into_iter().collect();
    let width = rules.iter().map(|rule| rule.id.len()).max();
    let width = width.unwrap_or_default();
    for rule in rules {
        let style = style_of(rule.severity, look.styled);
        let head = format!("{style}{:<width$}{style:#}  ", rule.id);
        wrapped(&mut out, &head, (width + 2, look.width), rule.summary);
    }
    line(&mut out, "\nauthtape rules ID shows one of them");
    out
}

/// One rule, for a person.
pub fn rule_page(rule: &Rule, look: Look) -> String {
    let mut out = String::new();
    let style = style_of(rule.severity, look.styled);
    line(
        &mut out,
        &format!(
            "{style}{}{style:#}  {}, tier {}",
            rule.id,
            rule.severity.as_str(),
            rule.tier
        ),
    );
    for (head, text) in [
        ("what", rule.summary),
        ("why", rule.why),
        ("fix", rule.fix),
        ("example", rule.example),
    ] {
        wrapped(&mut out, &format!("  {head:<10}"), (12, look.width), text);
    }
    wrapped(
        &mut out,
        &format!("  {:<10}", "see"),
        (12, look.width),
        &rule.see.join(" · "),
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose;

    #[test]
    fn lines_are_as_wide_as_they_may_be_and_no_wider() {
        for (width, heads) in [(100, 39), (80, 39), (40, 4)] {
            let look = Look {
                width,
                ..Look::default()
            };
            let list = rule_list(diagnose::all(), look);
            // Some words of the pages have no room in 40 columns.
            let pages = diagnose::all().filter(|_| width > 40);
            let pages = pages.map(|rule| rule_page(rule, look));
            let texts: String = pages.chain([list.clone()]).collect();
            let widest = texts.lines().map(|line| line.chars().count()).max();
            assert!(
                widest.is_some_and(|widest| widest <= width),
                "{width}: {widest:?}"
            );
            let indent = |line: &str| line.len() - line.trim_start().len();
            let deepest = list.lines().map(indent).max();
            assert_eq!(deepest, Some(heads), "{width}");
        }
    }
}
