//! The findings of one cassette, for a person.

use crate::cassette::Cassette;
use crate::diagnose::report::{Look, counted, line, plain, style_of, wrapped};
use crate::diagnose::{Finding, Findings, Severity};
use crate::model::FailureKind;

/// The findings for a person: the most fundamental first, each with its evidence and its fix; then
/// the requests that ended on the wire, of which no rule speaks.
pub fn text(findings: &Findings, cassette: &Cassette, name: &str, look: Look) -> String {
    let mut out = String::new();
    let failures = failures(cassette);
    let refused = refused(findings);
    if findings.is_empty() && refused.is_empty() {
        let what = if cassette.interactions.is_empty() {
            "it holds no interaction, so there is nothing to explain"
        } else if failures.is_empty() {
            "no finding; none of the rules has anything to say of it"
        } else {
            "no rule applies, but not every request got its answer:"
        };
        return format!("{}: {what}\n{failures}", plain(name));
    }
    let first = findings.iter().next().map(|finding| finding.rule.tier);
    for finding in findings {
        let later =
            first.is_some_and(|tier| finding.rule.tier > tier) && finding.severity < Severity::Note;
        write_finding(&mut out, finding, later, look);
    }
    line(&mut out, &format!("{}: {}", plain(name), counted(findings)));
    out.push_str(&refused);
    if !failures.is_empty() {
        line(&mut out, "\nnot every request got its answer:");
    }
    out + &failures
}

/// What was refused, and no rule sees why.
pub(super) fn refused(findings: &Findings) -> String {
    let mut out = String::new();
    let mut errors = Vec::new();
    for refused in findings.unexplained() {
        if out.is_empty() {
            line(&mut out, "\nrefused, and no rule sees why:");
        }
        let (id, step, status) = (refused.interaction, refused.step.title(), refused.status);
        let error = refused.error.as_deref().unwrap_or_default();
        let said = refused.said.as_ref().map(|said| format!(" \"{said}\""));
        let told = format!(
            "  {id} {step}: {status} {error}{}",
            said.unwrap_or_default()
        );
        line(&mut out, &plain(&told));
        errors.extend((!error.is_empty()).then_some(error));
    }
    if let Some(error) = errors.first() {
        let hint = format!("  what may be behind it: authtape explain --error {error}");
        line(&mut out, &plain(&hint));
    }
    out
}

pub(super) fn failures(cassette: &Cassette) -> String {
    let mut out = String::new();
    for interaction in &cassette.interactions {
        if let Some(error) = interaction.error() {
            let (id, step) = (interaction.id(), interaction.step().title());
            let url = interaction.request().url();
            let phase = error.phase().as_str().replace('_', " ");
            line(
                &mut out,
                &format!(
                    "  {id} {step} ({url}): {} ({} during {phase})",
                    in_words(error.kind()),
                    error.kind()
                ),
            );
        }
    }
    out
}

/// What a failure on the wire means to a person.
pub(crate) fn in_words(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::ClientAborted => "the client went away before the answer was whole",
        FailureKind::ClientCertificateRequired => {
            "the server asks for a client certificate; record with --client-cert GLOB=FILE"
        }
        FailureKind::ClosedEarly => "the server closed before its answer was whole",
        FailureKind::ConnectForbidden => "the address is one that is never called",
        FailureKind::ConnectRefused => "nothing listens at the server's address",
        FailureKind::ConnectTimeout => "the server could not be reached in time",
        FailureKind::ConnectionReset => "the server reset the connection",
        FailureKind::DnsFailure => "the server's name does not resolve",
        FailureKind::ProtocolError => "the server's answer is no HTTP",
        FailureKind::ProxyFailure => "the proxy on the way let nothing through",
        FailureKind::ReadTimeout => "the server did not answer in time",
        FailureKind::TlsFailure => "the server's certificate was not accepted",
    }
}

fn write_finding(out: &mut String, finding: &Finding, later: bool, look: Look) {
    let style = style_of(finding.severity, look.styled);
    let head = format!(
        "{style}{}[{}]{style:#} ",
        finding.severity.as_str(),
        finding.rule.id
    );
    wrapped(out, &head, (2, look.width), &finding.message);
    let note = finding.severity == Severity::Note;
    let width = finding
        .evidence
        .iter()
        .map(|evidence| evidence.r#where.len())
        .max()
        .unwrap_or_default()
        .max(9);
    for evidence in finding.evidence.iter().filter(|_| !note) {
        line(
            out,
            &format!(
                "  {} {:<width$}  {}",
                evidence.interaction,
                evidence.r#where,
                plain(&evidence.value)
            ),
        );
    }
    if let (Some(contrast), Some(last)) =
        (&finding.contrast, finding.evidence.last().filter(|_| !note))
    {
        let indent = 2 + last.interaction.to_string().len() + 1 + width + 2 + contrast.column;
        line(
            out,
            &format!(
                "{}{style}^ {}{style:#}",
                " ".repeat(indent),
                plain(&contrast.words)
            ),
        );
    }
    if !note {
        wrapped(
            out,
            &format!("  {:<11}  ", "fix"),
            (15, look.width),
            &finding.fix,
        );
        let see = finding.rule.see.first().copied().unwrap_or_default();
        let see = format!("{see} · authtape rules {}", finding.rule.id);
        wrapped(out, &format!("  {:<11}  ", "see"), (15, look.width), &see);
    }
    if later {
        line(out, "  (may disappear once the above is fixed)");
    }
    out.push('\n');
}
