//! What the program says of itself: man pages and completions.

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
