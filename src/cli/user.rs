//! `doorway user`.

use super::{CommandResult, ConfigArgs};
use crate::{
    accounts::{Accounts, EmailAddress, Role},
    base::clock::Clock,
    config::Config,
    store::Store,
};
use secrecy::SecretString;
use std::io::BufRead;

#[derive(Debug, clap::Subcommand)]
pub(super) enum UserCommand {
    /// Create a person. The password is read from standard input (one line, at least 12 characters).
    #[command(
        after_help = "Example: echo 'correct horse battery' | doorway user create maria@example.org --role customer --company 'Harbour Bakery'"
    )]
    Create(CreateArgs),
    /// Switch off somebody's two-step sign-in, where app and recovery codes are lost, and sign them out
    /// everywhere. Staff set it up anew when they sign in.
    ResetTwoStep(ResetArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct ResetArgs {
    /// The address with which they sign in.
    #[arg(value_parser = parse_email)]
    email: EmailAddress,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct CreateArgs {
    /// The address with which they sign in.
    #[arg(value_parser = parse_email)]
    email: EmailAddress,
    /// What they may do: admin, support or customer.
    #[arg(long, value_parser = parse_role)]
    role: Role,
    /// The company of a customer; created where none of that name is there.
    #[arg(long, value_name = "NAME")]
    company: Option<String>,
    /// Their name; what stands before the @ if left out.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
}

fn parse_email(text: &str) -> Result<EmailAddress, &'static str> {
    text.parse()
}

fn parse_role(text: &str) -> Result<Role, &'static str> {
    text.parse()
}

pub(super) async fn run(command: UserCommand) -> CommandResult {
    match command {
        UserCommand::Create(args) => create(args).await,
        UserCommand::ResetTwoStep(args) => reset_two_step(args).await,
    }
}

async fn reset_two_step(args: ResetArgs) -> CommandResult {
    let store = Store::connect(&Config::load_database_url(args.config.config.as_deref())?).await?;
    store.migrate().await?;
    let accounts = Accounts::new(store.clone(), Clock::system())?;
    let user = accounts.user_by_email(&args.email).await?.ok_or("nobody signs in with this address")?;
    accounts.reset_two_step(None, &user).await?;
    store.close().await;
    println!("{} signs in with the password alone now, and is signed out everywhere.", args.email);
    Ok(())
}

async fn create(args: CreateArgs) -> CommandResult {
    let url = Config::load_database_url(args.config.config.as_deref())?;
    if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        eprintln!("Password for {} (it is shown as you type; end with Enter):", args.email);
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let password = SecretString::from(line.trim_end_matches(['\r', '\n']).to_owned());
    let store = Store::connect(&url).await?;
    store.migrate().await?;
    let accounts = Accounts::new(store.clone(), Clock::system())?;
    let name = args.name.unwrap_or_else(|| args.email.local_part().to_owned());
    accounts.create_user(&args.email, &name, password, args.role, args.company.as_deref()).await?;
    store.close().await;
    println!("{} can sign in now.", args.email);
    Ok(())
}
