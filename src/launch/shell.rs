//! A file that a shell reads: it points the shell's clients at the proxy, and can undo it.

use std::fmt::Write as _;

use crate::launch::Environment;

/// The text of a file for any shell of POSIX, in which the proxy's URL is given as `proxy_word`, a
/// word that the shell expands, and not as it is in the environment. It defines `authtape_off`.
pub fn shell_file(environment: &Environment, proxy_url: &str, proxy_word: &str) -> String {
    let names: Vec<_> = environment.variables().map(|(name, _)| name).collect();
    let mut text = FUNCTIONS.replace("{names}", &names.join(" "));
    for (name, value) in environment.variables() {
        let value = value.to_string_lossy().replace('\'', r"'\''");
        let value = value.replacen(proxy_url, &format!("'{proxy_word}'"), 1);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "export {name}='{value}'");
    }
    text
}

/// What stood before is kept in variables of the shell, which go when it is put back.
const FUNCTIONS: &str = r#"if command -v authtape_off >/dev/null; then authtape_off; fi
for authtape_name in {names}; do
  eval "[ -z \"\${$authtape_name+x}\" ] || authtape_had_$authtape_name=\$$authtape_name"
done
authtape_off() {
  for authtape_name in {names}; do
    if eval "[ -n \"\${authtape_had_$authtape_name+x}\" ]"; then
      eval "export $authtape_name=\"\$authtape_had_$authtape_name\""
      unset "authtape_had_$authtape_name"
    else
      unset "$authtape_name"
    fi
  done
  unset authtape_name
  unset -f authtape_off
}
"#;

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_it_and_puts_back_what_it_had() {
        let environment =
            Environment::prepare("http://127.0.0.1:4000", "", |_| None).expect("prepared");
        let word = r#""http://me:$SECRET@127.0.0.1:4000""#;
        let file = environment.directory().join("it's.sh");
        let text = shell_file(&environment, "http://127.0.0.1:4000", word);
        assert!(!text.contains("http://127.0.0.1:4000"), "{text}");
        std::fs::write(&file, text).expect("written");
        let script = r#"
            set -eu
            . "$1"; . "$1"
            echo "$HTTPS_PROXY $NODE_OPTIONS|$NO_PROXY"
            authtape_off
            echo "${HTTPS_PROXY-unset} $NODE_OPTIONS|$NO_PROXY"
            set | grep -c ^authtape_ || true"#;
        let ran = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(&file)
            .env_clear()
            .envs([
                ("PATH", "/usr/bin:/bin"),
                ("SECRET", "s'q"),
                ("NODE_OPTIONS", "--a 'b c'"),
            ])
            .env("NO_PROXY", "")
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        let shims = environment.directory().join("shims/authtape.cjs");
        let expected = format!(
            "http://me:s'q@127.0.0.1:4000 --require {}|\nunset --a 'b c'|\n0\n",
            shims.display()
        );
        assert_eq!(said, expected, "{}", String::from_utf8_lossy(&ran.stderr));
    }
}
