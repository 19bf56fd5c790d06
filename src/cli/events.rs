//! `doorway events`.

use super::{CommandResult, ConfigArgs};
use crate::{
    accounts,
    app::EventPlaces,
    base::ids::CustomerId,
    config::Config,
    store::Store,
    webhooks::{ExportError, Wanted, export},
};
use std::io::{BufWriter, ErrorKind, stdout};
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

#[derive(Debug, clap::Subcommand)]
pub(super) enum EventsCommand {
    /// Write what Meta sent as JSON lines, one per change, with the keys id, received_at, customer, connection, field
    /// and raw (the change as Meta sent it). Also what is not routed yet, and what came twice. It only reads, beside
    /// the running server or without it.
    #[command(after_help = "Example: doorway events export --since 2026-01-31 | jq .raw")]
    Export(ExportArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// Only what came then or later: a time such as 2026-01-31T08:00:00Z, or a day (its beginning in UTC).
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<OffsetDateTime>,
    /// Only what is this customer's.
    #[arg(long, value_name = "ID", value_parser = parse_customer)]
    customer: Option<CustomerId>,
    #[command(flatten)]
    config: ConfigArgs,
}

fn parse_time(text: &str) -> Result<OffsetDateTime, &'static str> {
    let day = || Date::parse(text, format_description!("[year]-[month]-[day]")).map(|day| day.midnight().assume_utc());
    let time = OffsetDateTime::parse(text, &Rfc3339).or_else(|_| day());
    time.map_err(|_| "a time such as 2026-01-31T08:00:00Z or a day such as 2026-01-31 is needed")
}

fn parse_customer(text: &str) -> Result<CustomerId, &'static str> {
    text.parse().map_err(|_| "a customer's ID is needed, as it stands in the address of the customer's page")
}

pub(super) async fn run(command: EventsCommand) -> CommandResult {
    let EventsCommand::Export(args) = command;
    let url = Config::load_database_url(args.config.config.as_deref())?;
    if let Some(file) = Store::file_of(&url).filter(|file| !file.exists()) {
        return Err(format!(
            "there is no database at {}: set DOORWAY_DATABASE_URL, or run this where the server runs",
            file.display()
        )
        .into());
    }
    let store = Store::open(&url).await?;
    if !store.is_ready().await? {
        store.close().await;
        return Err("the database is empty or of an older Doorway: bring it up to date with doorway migrate".into());
    }
    if let Some(customer) = args.customer
        && accounts::customer_state(&mut store.read().await?, customer).await?.is_none()
    {
        store.close().await;
        return Err(format!("there is no customer with the ID {customer}").into());
    }
    let wanted = Wanted { since: args.since, customer: args.customer };
    let written = export(&store, &EventPlaces, wanted, &mut BufWriter::new(stdout().lock())).await;
    store.close().await;
    match written {
        // Whoever reads has enough, such as `head`.
        Err(ExportError::Write(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(ExportError::Json(error)) if error.io_error_kind() == Some(ErrorKind::BrokenPipe) => Ok(()),
        written => Ok(written.map(|_| ())?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_or_days() {
        let midnight = time::macros::datetime!(2026-01-31 00:00 UTC);
        assert_eq!(parse_time("2026-01-31"), Ok(midnight));
        assert_eq!(parse_time("2026-01-31T01:00:00+01:00"), Ok(midnight));
        for bad in ["yesterday", "2026-02-30", "31.1.2026", ""] {
            assert!(parse_time(bad).is_err(), "{bad}");
        }
    }
}
