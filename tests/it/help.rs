//! What the program says of itself: the reference, man pages and completions.

use std::path::Path;

use crate::cli::authtape;

/// What a call prints that goes well.
fn printed(arguments: &[&str]) -> String {
    let output = authtape(Path::new("."), arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// The names behind `Commands:`, in their order.
fn commands(help: &str) -> Vec<&str> {
    let list = help.split("Commands:\n").nth(1).unwrap_or_default();
    let names = list.lines().take_while(|line| !line.is_empty());
    let names = names.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names
        .filter(|name| !name.is_empty() && *name != "help")
        .collect()
}

fn reference() -> String {
    let help = printed(&["--help"]);
    let block = |title: &str, text: &str| format!("{title}```text\n{}\n```\n", text.trim_end());
    let about = "# Reference\n\nWhat `--help` says, command by command.\n\n";
    let mut page = vec![block(about, &help)];
    for command in commands(&help) {
        let text = printed(&[command, "--help"]);
        page.push(block(&format!("\n## {command}\n\n"), &text));
        for inner in commands(&text) {
            let text = printed(&[command, inner, "--help"]);
            page.push(block(&format!("\n### {command} {inner}\n\n"), &text));
        }
    }
    page.concat()
}

#[test]
fn the_reference_is_what_help_says_today() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md");
    let page = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("written");
    }
    let written = std::fs::read_to_string(&path).expect("docs/reference.md");
    assert_eq!(
        written, page,
        "UPDATE_DOCS=1 cargo test --test it help writes it"
    );
}

#[test]
fn each_command_has_its_man_page_and_is_completed() {
    let directory = tempfile::tempdir().expect("a directory");
    let pages = directory.path().join("man1");
    printed(&["man", "--output", &pages.to_string_lossy()]);
    let help = printed(&["--help"]);
    let scripts = ["bash", "elvish", "fish", "powershell", "zsh"]
        .map(|shell| (shell, printed(&["completions", shell])));
    for command in commands(&help) {
        let page = std::fs::read_to_string(pages.join(format!("authtape-{command}.1")));
        let page = page.unwrap_or_else(|error| panic!("{command}: {error}"));
        assert_eq!(page, printed(&["man", command]), "{command}");
        assert!(page.contains(&format!(r"authtape\-{command} \-")), "{page}");
        for (shell, script) in &scripts {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
    let own = std::fs::read_to_string(pages.join("authtape.1")).expect("its own page");
    assert_eq!(own, printed(&["man"]));
}

#[test]
fn a_page_of_no_command_is_wrong_usage() {
    let output = authtape(Path::new("."), &["man", "rewind"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: there is no command `rewind`; `authtape --help` lists them\n"
    );
}

#[test]
fn what_can_be_looked_up_is_what_is_said() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/troubleshooting.md")).expect("the page");
    let mut said = String::new();
    let mut open = vec![root.join("src")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a directory");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            said += &std::fs::read_to_string(&path).expect("a source");
        }
    }
    let headings = page.lines().filter_map(|line| line.strip_prefix("### "));
    let headings: Vec<_> = headings.collect();
    assert!(headings.len() > 20, "{headings:?}");
    let unsaid = headings.iter().filter(|heading| !said.contains(**heading));
    assert_eq!(unsaid.collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn what_the_pages_point_to_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![
        root.join("README.md"),
        root.join("SECURITY.md"),
        root.join("CONTRIBUTING.md"),
        root.join("CHANGELOG.md"),
    ];
    let mut open = vec![root.join("docs")];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                pages.push(path);
            }
        }
    }
    let mut lost = Vec::new();
    let mut links = 0;
    for page in pages
        .iter()
        .filter(|page| page.extension().is_some_and(|extension| extension == "md"))
    {
        let text = std::fs::read_to_string(page).expect("a page");
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            links += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let at = if file.is_empty() {
                page.clone()
            } else {
                page.parent().expect("a directory").join(file)
            };
            let slug = |line: &str| {
                line.trim_start_matches('#')
                    .trim()
                    .to_lowercase()
                    .replace(' ', "-")
            };
            let is_there = std::fs::read_to_string(&at).map_or_else(
                |_| at.is_dir(),
                |text| {
                    anchor.is_empty()
                        || text
                            .lines()
                            .any(|line| line.starts_with('#') && slug(line) == anchor)
                },
            );
            if !is_there {
                lost.push(format!("{}: {target}", page.display()));
            }
        }
        // What stands in code as a path of ours is one.
        let paths = text.split('`').skip(1).step_by(2);
        let paths = paths.filter(|path| path.starts_with("tests/") || path.starts_with("src/"));
        let is_source = |path: &&str| {
            let extension = Path::new(path).extension();
            extension.is_some_and(|extension| extension == "py" || extension == "rs")
        };
        let paths = paths.filter(is_source);
        lost.extend(
            paths
                .filter(|path| !root.join(path).exists())
                .map(|path| format!("{}: {path}", page.display())),
        );
    }
    assert!(links > 60, "{links}");
    assert_eq!(lost, Vec::<String>::new());
}
