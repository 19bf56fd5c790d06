//! How much memory calls with files take, all calls of this process together: each file is fetched only once there is
//! room for it, and its room is free again when the call is over. Who comes first is served first. An endpoint, and a
//! customer with many of them, gets a part of it: receivers that hang hold up nobody else's files.

use crate::{
    base::ids::{CustomerId, EndpointId},
    forwarding::Endpoint,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a call takes beside its file, in bytes, about.
const BESIDE: usize = 64 * 1024;

/// How many bytes a call with a file of this size takes while it is made: the file, and the body with it in base64.
#[must_use]
pub fn cost(file: usize) -> usize {
    file + file.div_ceil(3) * 4 + BESIDE
}

/// How many bytes there are; cloning shares them.
#[derive(Clone, Debug)]
pub struct Memory {
    all: Arc<Semaphore>,
    of_customer: usize,
    of_endpoint: usize,
    shares: Arc<Mutex<HashMap<Holder, Weak<Semaphore>>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Holder {
    Customer(CustomerId),
    Endpoint(EndpointId),
}

impl Default for Memory {
    /// 128 MiB. An endpoint's part has room for one of the largest files, or for many that are small; a customer's for
    /// two; and what one customer leaves has room for one more.
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self::new(128 * MIB, 80 * MIB, 40 * MIB)
    }
}

impl Memory {
    /// So many bytes for all, for each customer, for each endpoint.
    #[must_use]
    pub fn new(all: usize, of_customer: usize, of_endpoint: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), of_customer, of_endpoint, shares: Arc::default() }
    }

    /// Room for a call to this endpoint; nothing is taken yet.
    #[must_use]
    pub fn room(&self, endpoint: &Endpoint) -> Room {
        let shares = [
            self.share(Holder::Endpoint(endpoint.id), self.of_endpoint),
            self.share(Holder::Customer(endpoint.customer), self.of_customer),
            self.all.clone(),
        ];
        Room { shares, most: self.of_endpoint.min(self.of_customer), held: Vec::new() }
    }

    /// A holder's part, which is there as long as anybody has something of it.
    fn share(&self, holder: Holder, bytes: usize) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(&holder).and_then(Weak::upgrade) {
            return share;
        }
        shares.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Semaphore::new(bytes));
        shares.insert(holder, Arc::downgrade(&share));
        share
    }
}

/// What a call holds of the memory, until it is dropped.
#[derive(Debug)]
pub struct Room {
    /// The endpoint's part, the customer's, and the whole: always taken in this order.
    shares: [Arc<Semaphore>; 3],
    most: usize,
    held: Vec<OwnedSemaphorePermit>,
}

impl Room {
    /// Waits until so many bytes are free, and takes them in the place of what it held. What is more than an endpoint's
    /// part takes the whole part.
    pub async fn take(&mut self, bytes: usize) {
        self.held.clear();
        let bytes = u32::try_from(bytes.min(self.most)).unwrap_or(u32::MAX);
        for share in &self.shares {
            let permit = share.clone().acquire_many_owned(bytes).await;
            self.held.push(permit.expect("it is never closed"));
        }
    }

    /// Keeps so many bytes of what it holds.
    pub fn keep(&mut self, bytes: usize) {
        for permit in &mut self.held {
            drop(permit.split(permit.num_permits().saturating_sub(bytes)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_the_largest_files_fits_into_an_endpoints_part_and_beside_a_whole_customer() {
        let (memory, largest) = (Memory::default(), cost(16 * 1024 * 1024));
        assert!(largest <= memory.of_endpoint);
        assert!(memory.of_customer + largest <= memory.all.available_permits());
    }
}
