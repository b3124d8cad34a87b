//! `authtape share`

use std::collections::BTreeSet;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use authtape::cassette::{Cassette, audit_bytes};
use authtape::diagnose::{self, Findings, report};
use authtape::export::har;
use authtape::import::Format;
use authtape::library::{self, Overwrite};
use authtape::model::Asides;
use authtape::oauth::name;
use authtape::oauth::registry::{HeaderClass, header_class};
use authtape::record::Options;
use authtape::redact::{Profile, RecordedResponse, audit};
use authtape::view::Scene;
use clap::Parser;
use zeroize::Zeroizing;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::cli::exit::{Exit, Usage};
use crate::cli::importing::Taken;
use crate::cli::output::{plain, result, say};
use crate::cli::secrets::HidingArgs;

/// Make of a session what can be handed on: a page, a HAR file and the cassette, in a folder or a zip
///
/// The page opens in any browser, runs nothing and fetches nothing: what failed and why, who said what,
/// and the identifiers that the server's support needs. Each file is searched for secrets before any of
/// them is written. A HAR file or a flow file of mitmproxy is redacted on the way.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The cassette, or what another tool recorded
    cassette: PathBuf,
    /// The folder to make, or a file that ends in .zip; without it, the cassette's name and -share
    #[arg(short, long, value_name = "DIR|FILE.zip")]
    output: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    telling: TellingArgs,
    #[command(flatten)]
    hiding: HidingArgs,
}

/// What is only told.
#[derive(clap::Args)]
struct TellingArgs {
    /// Write nothing: say what would be in it, what was replaced and what is kept
    #[arg(long)]
    dry_run: bool,
    /// Write nothing: print a text for an issue
    #[arg(long, conflicts_with = "dry_run")]
    markdown: bool,
    /// Print what --dry-run says as JSON
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
}

/// What is handed on.
struct Shared {
    name: String,
    cassette: Cassette,
    text: String,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let shared = self.read()?;
        let findings = diagnose::diagnose(&shared.cassette);
        let files = shared.files(&findings)?;
        if self.telling.markdown {
            let text = shared.markdown(&findings);
            refuse_secrets("the text", &text)?;
            result(&text)?;
            return Ok(Exit::Clean);
        }
        if self.telling.json {
            result(&format!("{}\n", shared.json(&findings)))?;
        }
        let told = shared.inventory(&findings);
        if self.telling.dry_run {
            if !self.telling.json {
                result(&(told.join("\n") + "\n"))?;
            }
            return Ok(Exit::Clean);
        }
        let output = self.output.unwrap_or_else(|| beside(&self.cassette));
        let overwrite = if self.overwrite {
            Overwrite::Yes
        } else {
            Overwrite::No
        };
        if output
            .extension()
            .is_some_and(|extension| extension == "zip")
        {
            library::save_bytes(&output, &zipped(&files)?, overwrite)?;
        } else {
            write(&output, &files, overwrite)?;
        }
        if !self.telling.json {
            for line in &told {
                say(line);
            }
            say(&format!(
                "  next: look at {}, then hand it on",
                plain(&shown(&output))
            ));
        }
        Ok(Exit::Clean)
    }

    fn read(&self) -> anyhow::Result<Shared> {
        let path = &self.cassette;
        let bytes = Zeroizing::new(library::read(path)?);
        let stem = path.file_stem().unwrap_or(path.as_os_str());
        let name = library::file_name(&stem.to_string_lossy());
        if Format::of(&bytes).is_some() {
            let options = Options {
                profile: self.hiding.profile(),
                secrets: self.hiding.secrets()?,
                ..Options::default()
            };
            let taken = Taken::of(&bytes, path, None, options)?;
            return Ok(Shared {
                name,
                cassette: taken.cassette,
                text: taken.text,
            });
        }
        let cassette = library::load_bytes(path, &bytes)?;
        cassette.refuse_raw().with_context(|| shown(path))?;
        if self.hiding.profile() == Profile::Public && cassette.header.profile != Profile::Public {
            let why = format!(
                "{} has its hosts and clients by their names, and what they are can only be told while recording; record it with --public",
                shown(path)
            );
            return Err(Usage(why).into());
        }
        Ok(Shared {
            name,
            cassette,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }
}

impl Shared {
    /// The files by their names, each of them searched.
    fn files(&self, findings: &Findings) -> anyhow::Result<[(&'static str, String); 3]> {
        let audited = audit_bytes(self.text.as_bytes());
        if let Some(hit) = audited.iter().flat_map(|audited| &audited.hits).next() {
            bail!(
                "line {} of the cassette looks like a {}, so nothing was written; look at it with authtape audit",
                hit.line,
                hit.kind
            );
        }
        let page = Scene::new(&self.cassette).page(findings, "cassette.yaml");
        let asides = Asides::default();
        let har = har::har(&self.cassette, &asides)?;
        let entries = har.audited().map(|entry| ("session.har", entry));
        for (file, text) in entries.chain([("report.html", texts(&page))]) {
            refuse_secrets(file, &text)?;
        }
        Ok([
            ("report.html", page),
            ("session.har", har.text()),
            ("cassette.yaml", self.text.clone()),
        ])
    }

    /// What is in it, as a person wants to know it before it is handed on.
    fn inventory(&self, findings: &Findings) -> Vec<String> {
        let header = &self.cassette.header;
        let count = self.cassette.interactions.len();
        let mut told = vec![format!(
            "authtape: {count} {}, {}",
            if count == 1 { "exchange" } else { "exchanges" },
            counted(findings)
        )];
        let kinds: Vec<_> = header
            .redacted
            .iter()
            .map(|kind| format!("{} {}", kind.value, kind.name))
            .collect();
        if !kinds.is_empty() {
            told.push(format!("  replaced by labels: {}", kinds.join(", ")));
        }
        for (what, values) in self.kept() {
            if !values.is_empty() {
                let shown: Vec<_> = values
                    .iter()
                    .take(KEPT_MAX)
                    .map(|value| plain(value))
                    .collect();
                let more = values.len().saturating_sub(KEPT_MAX);
                let more = if more > 0 {
                    format!(", and {more} more")
                } else {
                    String::new()
                };
                told.push(format!("  kept, {what}: {}{more}", shown.join(", ")));
            }
        }
        told.push("  searched: the page, the HAR file and the cassette hold nothing that looks like a secret".to_owned());
        told
    }

    /// What stands in clear, by what it is.
    fn kept(&self) -> [(&'static str, BTreeSet<String>); 4] {
        let (mut hosts, mut clients, mut agents, mut requests) = (
            BTreeSet::new(),
            BTreeSet::new(),
            BTreeSet::new(),
            BTreeSet::new(),
        );
        let is_clear = |value: &str| !value.contains("REDACTED-");
        for interaction in &self.cassette.interactions {
            let request = interaction.request();
            hosts.extend(
                request
                    .parsed_url()
                    .map(|url| url.authority())
                    .filter(|host| is_clear(host)),
            );
            let params = [request.query_params(), request.body_params()];
            let client = params
                .iter()
                .filter_map(|params| params.get(name::CLIENT_ID));
            clients.extend(client.filter(|client| is_clear(client)).map(str::to_owned));
            let answer = interaction.response().map(RecordedResponse::header_fields);
            for field in request
                .header_fields()
                .iter()
                .chain(answer.unwrap_or_default())
            {
                if field.name.eq_ignore_ascii_case("user-agent") && is_clear(&field.value) {
                    agents.insert(field.value.clone());
                } else if header_class(&field.name) == Some(HeaderClass::Correlation)
                    && is_clear(&field.value)
                {
                    requests.insert(format!("{}: {}", field.name, field.value));
                }
            }
        }
        [
            ("hosts", hosts),
            ("client identifiers", clients),
            ("user agents", agents),
            ("identifiers of requests", requests),
        ]
    }

    fn json(&self, findings: &Findings) -> serde_json::Value {
        let header = &self.cassette.header;
        let redacted = header
            .redacted
            .iter()
            .map(|kind| (kind.name.clone(), kind.value.into()));
        let kept = self
            .kept()
            .into_iter()
            .map(|(what, values)| (what.replace(' ', "_"), values.into_iter().collect()));
        serde_json::json!({
            "exchanges": self.cassette.interactions.len(),
            "findings": findings.iter().map(|finding| finding.rule.id).collect::<Vec<_>>(),
            "profile": header.profile.as_str(),
            "redacted": redacted.collect::<serde_json::Map<String, serde_json::Value>>(),
            "kept": kept.collect::<serde_json::Map<String, serde_json::Value>>(),
            "files": ["report.html", "session.har", "cassette.yaml"],
        })
    }

    /// A text for an issue: the findings, and what the server's support finds the requests by.
    fn markdown(&self, findings: &Findings) -> String {
        let findings = report::markdown(findings, &self.cassette, &self.name);
        let identifiers = Scene::new(&self.cassette).identifiers();
        let recorded = plain(&self.cassette.header.recorded_by);
        let told = format!("{identifiers}recorded by {recorded}\n").replace("````", "''''");
        format!("{findings}\n````text\n{told}````\n\nEvery secret is replaced by a label.\n")
    }
}

fn refuse_secrets(file: &str, text: &str) -> anyhow::Result<()> {
    if let Some(hit) = audit(text).first() {
        bail!(
            "{file} would hold what looks like a {}, so nothing was written; report this",
            hit.kind
        );
    }
    Ok(())
}

/// The texts of a page, a line each: a name and a value beside each other are two.
fn texts(page: &str) -> String {
    let (_, body) = page.split_once("</style>").unwrap_or(("", page));
    let texts = body.split('<').filter_map(|tag| tag.split_once('>'));
    let texts: Vec<_> = texts
        .map(|(_, text)| text)
        .filter(|text| !text.is_empty())
        .collect();
    let text = texts.join("\n");
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ];
    entities
        .iter()
        .fold(text, |text, (entity, c)| text.replace(entity, c))
}

fn counted(findings: &Findings) -> String {
    match findings.iter().count() {
        0 => "nothing found".to_owned(),
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    }
}

fn write(directory: &Path, files: &[(&str, String)], overwrite: Overwrite) -> anyhow::Result<()> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", shown(directory)))?;
    for (name, _) in files {
        library::refuse_taken(&directory.join(name), overwrite)?;
    }
    for (name, text) in files {
        library::save(&directory.join(name), text, overwrite)?;
    }
    Ok(())
}

/// The same files make the same archive.
fn zipped(files: &[(&str, String)]) -> anyhow::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o600);
    for (name, text) in files {
        zip.start_file(*name, options)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

/// A folder beside the cassette.
fn beside(cassette: &Path) -> PathBuf {
    let stem = cassette.file_stem().unwrap_or(cassette.as_os_str());
    let name = format!("{}-share", stem.to_string_lossy());
    cassette.with_file_name(name)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

const KEPT_MAX: usize = 8;

const EXAMPLES: &str = "\
Examples:
  authtape share login.yaml              login-share/ with report.html, session.har and cassette.yaml
  authtape share login.yaml -o login.zip the same in one file
  authtape share login.yaml --dry-run    what would be in it
  authtape share login.yaml --markdown   a text for an issue
  authtape share session.har --public    what a browser saved, hosts and clients replaced, too";
