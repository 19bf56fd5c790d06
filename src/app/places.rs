//! Whose a change is that is not routed yet, for the command line.

use super::consequences::place_of;
use crate::{
    store::{ReadTx, Result},
    webhooks::{Address, Place, Places},
};
use futures_util::future::BoxFuture;

/// Knows it as the router does, and writes nothing.
pub struct EventPlaces;

impl Places for EventPlaces {
    fn place<'a>(&'a self, db: &'a mut ReadTx, address: &'a Address) -> BoxFuture<'a, Result<Place>> {
        Box::pin(place_of(db, address))
    }
}
