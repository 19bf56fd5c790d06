//! The binary `doorway`. See `doorway --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    doorway::cli::start()
}
