//! `doorway serve`.

use super::{CommandResult, ConfigArgs, stop_on_signal};
use crate::{app::App, base::clock::Clock, config::Config, store::Store};
use tokio::net::TcpListener;

pub(super) async fn run(args: ConfigArgs) -> CommandResult {
    let config = Config::load(args.config.as_deref())?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let stop = stop_on_signal()?;
    let store = Store::connect(&config.database_url).await?;
    store.migrate().await?;
    let app = App::build(&config, store, Clock::system())?;
    app.check_keys().await.map_err(|error| {
        format!("DOORWAY_SECRET_KEY: {error}; put the key it was sealed with into DOORWAY_SECRET_KEYS_OLD")
    })?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| format!("DOORWAY_LISTEN: can't listen on {}: {error}", config.listen))?;
    tracing::info!(listen = %config.listen, public_url = %config.public_url, "ready");
    app.first_run.announce(&config.public_url).await?;
    app.serve(listener, stop).await
}
