//! Many cassettes, a line each, for a person.

use crate::diagnose::report::{Look, line, plain, style_of};
use crate::diagnose::{Findings, Severity};

/// The lines so far, counted.
pub struct Table {
    look: Look,
    /// Columns of the longest name.
    width: usize,
    with_errors: usize,
    clean: usize,
    others: usize,
    not_read: usize,
}

impl Table {
    /// A table for files with names of at most so many columns.
    pub fn new(look: Look, width: usize) -> Self {
        Self {
            look,
            width: width.clamp(8, NAME_MAX),
            with_errors: 0,
            clean: 0,
            others: 0,
            not_read: 0,
        }
    }

    /// What the columns are.
    pub fn head(&self) -> String {
        let mut out = String::new();
        let (name, width) = ("cassette", self.width);
        line(
            &mut out,
            &format!("{name:<width$}  errors  warnings  notes  first finding"),
        );
        out
    }

    /// The line of a cassette.
    pub fn row(&mut self, findings: &Findings, name: &str) -> String {
        let [errors, warnings, notes] = [Severity::Error, Severity::Warning, Severity::Note]
            .map(|severity| findings.count(severity));
        match (errors, warnings) {
            (0, 0) => self.clean += 1,
            (0, _) => self.others += 1,
            _ => self.with_errors += 1,
        }
        let first = findings.iter().next();
        let first = first.filter(|finding| finding.severity < Severity::Note);
        let first = first.map_or_else(
            || "-".to_owned(),
            |finding| {
                let style = style_of(finding.severity, self.look.styled);
                format!("{style}{}{style:#}", finding.rule.id)
            },
        );
        let mut out = String::new();
        let (name, width) = (self.name(name), self.width);
        line(
            &mut out,
            &format!("{name:<width$}  {errors:>6}  {warnings:>8}  {notes:>5}  {first}"),
        );
        out
    }

    /// The line of a file that could not be read.
    pub fn row_not_read(&mut self, name: &str, why: &str) -> String {
        self.not_read += 1;
        let mut out = String::new();
        let (name, width) = (self.name(name), self.width);
        line(
            &mut out,
            &format!("{name:<width$}  not read: {}", plain(why)),
        );
        out
    }

    /// How many there were of each sort.
    pub fn foot(&self) -> String {
        let counts = [
            (self.with_errors, "with errors"),
            (self.others, "with warnings"),
            (self.clean, "with neither"),
            (self.not_read, "not read"),
        ];
        let total: usize = counts.iter().map(|(count, _)| count).sum();
        let told = counts.iter().filter(|(count, _)| *count > 0);
        let told: Vec<_> = told
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        let mut out = String::new();
        line(
            &mut out,
            &format!(
                "\n{total} files: {}; authtape explain FILE shows the findings of one",
                told.join(", ")
            ),
        );
        out
    }

    /// The end of a name tells more than its beginning.
    fn name(&self, name: &str) -> String {
        let name = plain(name);
        let length = name.chars().count();
        if length <= self.width {
            return name;
        }
        let end = name.chars().skip(length + 1 - self.width);
        format!("…{}", end.collect::<String>())
    }
}

const NAME_MAX: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Finding, find};

    #[test]
    fn each_file_has_its_line_and_is_counted() {
        let rule = find("token-body-json").expect("a rule");
        let found = |severity| {
            let mut findings = Findings::default();
            findings.raise_ungraded(Finding {
                severity,
                ..Finding::of(rule)
            });
            findings
        };
        let mut table = Table::new(Look::default(), 8);
        for (findings, name, expected) in [
            (
                found(Severity::Error),
                "a.yaml",
                "a.yaml         1         0      0  token-body-json\n",
            ),
            (
                found(Severity::Warning),
                "b.yaml",
                "b.yaml         0         1      0  token-body-json\n",
            ),
            (
                found(Severity::Note),
                "abcdefghij",
                "…defghij       0         0      1  -\n",
            ),
            (
                Findings::default(),
                "d.yaml",
                "d.yaml         0         0      0  -\n",
            ),
        ] {
            assert_eq!(table.row(&findings, name), expected);
        }
        assert_eq!(
            table.row_not_read("e\u{1b}", "it is cut"),
            "e\\u{1b}   not read: it is cut\n"
        );
        assert_eq!(
            table.foot(),
            "\n5 files: 1 with errors, 1 with warnings, 2 with neither, 1 not read; authtape explain FILE shows the findings of one\n"
        );
    }
}
