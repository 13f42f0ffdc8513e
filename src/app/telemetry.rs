//! Logging to the terminal. Names and spoken words never reach it; ids do.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

/// `RUST_LOG` chooses; else what a person running the server wants to know.
pub fn start() {
    let quiet = "vuoro=info,error";
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quiet));
    fmt()
        .with_env_filter(filter)
        .with_target(false)
        // Colours are for people: in a file they are in the way.
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}
