//! Lines to Meta: with what, and for whom, a piece of work calls Graph. Who has the tokens gives them
//! (`connections`); whoever works with an account's numbers, templates or profiles asks for them here, and need not
//! know where they come from.

use super::{Access, Client, GraphError};
use crate::base::ids::{ConnectionId, CustomerId, WabaId};
use futures_util::future::BoxFuture;
use std::{error::Error, sync::Arc};

/// A connection as far as those need to know it who work with what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The connection.
    pub connection: ConnectionId,
    /// Whose it is.
    pub customer: CustomerId,
    /// What the customer calls it.
    pub name: String,
    /// Whether its token works, as far as we know; otherwise it is over, or must be connected again.
    pub is_active: bool,
    /// Its WABAs.
    pub wabas: Vec<WabaId>,
}

/// With what to call Graph for a connection.
#[derive(Clone, Debug)]
pub struct Line {
    /// The connection.
    pub connection: ConnectionId,
    /// The client, in the version that is set up now.
    pub graph: Client,
    /// The connection's token.
    pub access: Access,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum NoLine {
    /// The connection is over, must be connected again, or no app is set up.
    #[error("the connection has no token that works")]
    None,
    /// It could not be found out.
    #[error("a connection's token could not be read: {0}")]
    Failed(Box<dyn Error + Send + Sync>),
}

/// Who has the tokens.
pub trait Lines: Send + Sync {
    /// A connection that is not over.
    fn held(&self, connection: ConnectionId) -> BoxFuture<'_, Result<Option<Held>, NoLine>>;

    /// The connection that holds a WABA.
    fn holder<'a>(&'a self, waba: &'a WabaId) -> BoxFuture<'a, Result<Option<Held>, NoLine>>;

    /// The connections of a customer whose token works, as far as we know; the newest first.
    fn of_customer(&self, customer: CustomerId) -> BoxFuture<'_, Result<Vec<Held>, NoLine>>;

    /// The line of a connection.
    fn line(&self, connection: ConnectionId) -> BoxFuture<'_, Result<Line, NoLine>>;

    /// Graph refused a call on this line. Where the reason is the access, it is looked into in the background; anything
    /// else is left alone.
    fn refused<'a>(&'a self, connection: ConnectionId, error: &'a GraphError) -> BoxFuture<'a, ()>;
}

/// Shared by all who ask.
pub type SharedLines = Arc<dyn Lines>;
