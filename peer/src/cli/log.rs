//! Logs: to stderr, or to a file where a terminal is otherwise in use.

use std::{fs::File, io::stderr, sync::Mutex};

use common::wire::control::{Exit, Refusal};
use tracing_subscriber::EnvFilter;

use super::output;

/// Logs to stderr.
pub fn to_stderr(level: &str) -> Result<(), Refusal> {
    let log = tracing_subscriber::fmt().with_env_filter(filter(level)?);
    log.with_ansi(output::colours(&stderr())).with_writer(stderr).init();
    Ok(())
}

/// Logs to a file. That it cannot be written is told nowhere: stderr is the terminal that is in use.
pub fn to_file(level: &str, file: File) -> Result<(), Refusal> {
    let log = tracing_subscriber::fmt().with_env_filter(filter(level)?).log_internal_errors(false);
    log.with_ansi(false).with_writer(Mutex::new(file)).init();
    Ok(())
}

fn filter(level: &str) -> Result<EnvFilter, Refusal> {
    EnvFilter::builder().parse(level).map_err(|_| {
        let by_variable = std::env::var("ROLLCALL_LOG").is_ok_and(|variable| variable == level);
        let place = if by_variable { "the variable ROLLCALL_LOG" } else { "--log" };
        let reason = format!(
            "{place}: there is no log level {level:?}: it is error, warn, info, debug or trace, or a filter such as \
             peer=debug"
        );
        Refusal::new(Exit::Usage, reason)
    })
}
