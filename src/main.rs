//! The binary `doorway`. See `doorway --help`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    doorway::cli::run().await
}
