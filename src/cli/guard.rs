//! What keeps this process from leaving what it holds in memory behind.

use std::panic;

use crate::cli::output::say;

/// Has no core dumped of this process, and has a panic say where it was and nothing of what was
/// at hand. What it starts is dumped and debugged as ever.
pub(crate) fn secure() {
    panic::set_hook(Box::new(|panicked| {
        let place = panicked.location();
        let place = place.map_or_else(String::new, |place| {
            format!(" at {}:{}", place.file(), place.line())
        });
        say(&format!(
            "authtape {} stopped{place}; that is a bug, please report this line",
            env!("CARGO_PKG_VERSION")
        ));
    }));
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Refused by some sandboxes, in which nothing can be dumped either.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
