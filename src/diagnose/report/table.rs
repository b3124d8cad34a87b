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
