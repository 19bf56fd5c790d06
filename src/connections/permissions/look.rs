//! Looking at a connection's permissions at Meta: the token's inspection, the proof that each account opens, whether
//! its webhooks come, its numbers.

use super::standing::{AccountStanding, Answer, Refusal, Standing, said_by};
use crate::{
    base::ids::WabaId,
    connections::model::WabaRecord,
    graph::{self, Access, AppCredentials, PhoneNumber, TokenInfo},
    phone_numbers,
};
use futures_util::{StreamExt, future::join, stream};

/// How many accounts are asked about side by side.
const PARALLEL: usize = 4;

/// What was found.
pub(in crate::connections) struct Found {
    /// How it stands.
    pub standing: Standing,
    /// The token's inspection, where it could be had.
    pub info: Option<TokenInfo>,
    /// The numbers of the accounts that open.
    pub numbers: Vec<(WabaId, Vec<PhoneNumber>)>,
}

/// Asks Meta. `app`: whose token it is; without it the token can't be inspected, and only the proof counts.
pub(in crate::connections) async fn look(
    graph: &graph::Client,
    app: Option<&AppCredentials>,
    access: &Access,
    wabas: &[WabaRecord],
) -> Found {
    let inspecting = async {
        match app {
            Some(app) => {
                let graph = access.connection.map_or_else(|| graph.clone(), |id| graph.for_connection(id));
                graph.debug_token(app, &access.token).await.ok()
            }
            None => None,
        }
    };
    // Owned, so that the futures do not borrow from the iterator.
    let asked: Vec<WabaRecord> = wabas.to_vec();
    let asking = stream::iter(asked)
        .map(|waba| async move { account(graph, app, access, waba).await })
        .buffered(PARALLEL)
        .collect::<Vec<_>>();
    let (info, accounts) = join(inspecting, asking).await;
    let mut numbers = Vec::new();
    let mut standings = Vec::new();
    for (standing, listed) in accounts {
        if let (Some(listed), Ok(id)) = (listed, standing.id.parse()) {
            numbers.push((id, listed));
        }
        standings.push(standing);
    }
    let first_refusal = || standings.iter().find_map(|account| account.refusal.clone());
    let opens = |answer: Answer| standings.iter().any(|account| account.opens == answer);
    let standing = match &info {
        // Of a token that works no longer Meta lists no permissions: that says nothing of them.
        Some(info) if !info.is_valid => Standing {
            token: Answer::No,
            refusal: info.error.as_ref().map(Refusal::from).or_else(first_refusal),
            scopes: None,
            expires_at: info.ends_at(),
            accounts: standings,
        },
        Some(info) => Standing {
            token: Answer::Yes,
            refusal: None,
            scopes: Some(info.all_scopes()),
            expires_at: info.ends_at(),
            accounts: standings,
        },
        None => Standing {
            token: match (opens(Answer::Yes), opens(Answer::No)) {
                (true, _) => Answer::Yes,
                (false, true) if !opens(Answer::Unknown) => Answer::No,
                _ => Answer::Unknown,
            },
            refusal: first_refusal(),
            scopes: None,
            expires_at: None,
            accounts: standings,
        },
    };
    Found { standing, info, numbers }
}

async fn account(
    graph: &graph::Client,
    app: Option<&AppCredentials>,
    access: &Access,
    waba: WabaRecord,
) -> (AccountStanding, Option<Vec<PhoneNumber>>) {
    let mut standing = AccountStanding {
        id: waba.id.to_string(),
        name: waba.name.clone(),
        opens: Answer::Unknown,
        subscribed: None,
        made_again: false,
        numbers: Vec::new(),
        refusal: None,
    };
    let numbers = match graph.phone_numbers(access, &waba.id).await {
        Ok(numbers) => numbers,
        Err(error) => {
            standing.opens = said_by(&error);
            standing.refusal = Some(Refusal::from(&error));
            return (standing, None);
        }
    };
    standing.opens = Answer::Yes;
    standing.numbers =
        numbers.iter().map(|number| phone_numbers::international(&number.display_phone_number)).collect();
    match graph.subscribed_apps(access, &waba.id).await {
        Ok(apps) => {
            let ours = |id: &String| app.is_none_or(|app| app.id.as_str() == id);
            standing.subscribed = Some(apps.iter().any(ours));
        }
        Err(error) => tracing::info!(waba = %waba.id, %error, "whether webhooks come could not be asked"),
    }
    if standing.subscribed == Some(false) {
        match graph.subscribe_app(access, &waba.id).await {
            Ok(()) => (standing.subscribed, standing.made_again) = (Some(true), true),
            Err(error) => {
                tracing::warn!(waba = %waba.id, %error, "webhooks could not be switched on again");
                standing.refusal = Some(Refusal::from(&error));
            }
        }
    }
    (standing, Some(numbers))
}
