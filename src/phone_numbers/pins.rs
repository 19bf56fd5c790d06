//! PINs of two-step verification: sealed, and kept before they are sent to Meta, as a call that got no answer may have
//! taken effect.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/two-step-verification>

use super::file::{PinState, TryKind};
use crate::{
    base::{
        ids,
        sealed::{KeyRing, Place, SealError},
    },
    sealed_column,
    store::{Reads, Result, Row, SealedColumn, StoreError, WriteTx, query},
};
use secrecy::SecretString;
use time::{Duration, OffsetDateTime};

/// By when a call is answered, or never.
const ANSWERED_BY: Duration = Duration::minutes(1);

/// What of this feature is sealed at rest.
pub const SEALED: &[SealedColumn] = &[sealed_column!("number_pins", "pin_sealed")];

fn place(row: &str) -> Place<'_> {
    Place { table: "number_pins", column: "pin_sealed", row }
}

/// A PIN that is kept.
#[derive(Clone, Debug)]
pub(super) struct Pin {
    pub id: String,
    sealed: String,
    pub is_made: bool,
    pub state: PinState,
    pub changed_at: OffsetDateTime,
}

impl Pin {
    /// The six digits.
    pub fn open(&self, keys: &KeyRing) -> std::result::Result<SecretString, SealError> {
        keys.open(place(&self.id), &self.sealed)
    }
}

/// One that nobody can guess: random digits, not all the same and not in a row.
pub(super) fn make() -> SecretString {
    loop {
        let pin = format!("{:06}", rand::random_range(0..1_000_000_u32));
        let digits = pin.as_bytes();
        let steps: Vec<i16> = digits.windows(2).map(|pair| i16::from(pair[1]) - i16::from(pair[0])).collect();
        if steps.iter().any(|step| *step != steps[0]) {
            return pin.into();
        }
    }
}

/// A PIN for a number.
pub(super) struct New<'a> {
    pub pin: &'a SecretString,
    pub is_made: bool,
    /// Kept for registering, or sent at once.
    pub state: PinState,
}

/// Keeps a PIN before it is sent; its ID.
pub(super) async fn keep(
    tx: &mut WriteTx,
    keys: &KeyRing,
    file: &str,
    new: New<'_>,
    now: OffsetDateTime,
) -> Result<String> {
    let id = ids::new_uuid().to_string();
    let sealed = keys.seal(place(&id), new.pin);
    query(
        "INSERT INTO number_pins (id, file_id, pin_sealed, is_made, state, changed_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&id)
    .bind(file)
    .bind(sealed)
    .bind(new.is_made)
    .bind(new.state.as_str())
    .bind(now)
    .execute(tx)
    .await?;
    Ok(id)
}

fn pin(row: &Row) -> Result<Pin> {
    Ok(Pin {
        id: row.text("id")?,
        sealed: row.text("pin_sealed")?,
        is_made: row.bool("is_made")?,
        state: row.text("state")?.parse().map_err(|()| StoreError::Value("state".to_owned()))?,
        changed_at: row.time("changed_at")?,
    })
}

/// The one that the number has, as far as it is known here: of those that were sent the last, else one that is to be.
pub(super) async fn last(db: &mut impl Reads, file: &str) -> Result<Option<Pin>> {
    query(
        "SELECT * FROM number_pins WHERE file_id = $1 \
         ORDER BY CASE state WHEN 'stale' THEN 2 WHEN 'kept' THEN 1 ELSE 0 END, changed_at DESC, id DESC LIMIT 1",
    )
    .bind(file)
    .optional(db, pin)
    .await
}

/// The one to register with: that which is kept for it, else the number's.
pub(super) async fn to_send(db: &mut impl Reads, file: &str) -> Result<Option<Pin>> {
    let kept = query(
        "SELECT * FROM number_pins WHERE file_id = $1 AND state = 'kept' ORDER BY changed_at DESC, id DESC LIMIT 1",
    );
    match kept.bind(file).optional(db, pin).await? {
        Some(kept) => Ok(Some(kept)),
        None => last(db, file).await,
    }
}

/// One that was kept is on its way.
pub(super) async fn sent(tx: &mut WriteTx, id: &str) -> Result<()> {
    query("UPDATE number_pins SET state = 'sent' WHERE id = $1 AND state = 'kept'").bind(id).execute(tx).await?;
    Ok(())
}

/// Meta said no to what it was sent with, and nothing of the PIN itself.
pub(super) async fn not_looked_at(tx: &mut WriteTx, id: &str) -> Result<()> {
    query("UPDATE number_pins SET state = 'kept' WHERE id = $1 AND state = 'sent'").bind(id).execute(tx).await?;
    Ok(())
}

/// Those of which one is the number's: Meta's answer to the later ones never came. The last first.
pub(super) async fn candidates(db: &mut impl Reads, file: &str) -> Result<Vec<Pin>> {
    query(
        "SELECT * FROM number_pins WHERE file_id = $1 AND state IN ('sent', 'right') ORDER BY changed_at DESC, id DESC",
    )
    .bind(file)
    .all(db, pin)
    .await
}

/// The ID of the one that was sent last by then.
pub(super) async fn sent_by(db: &mut impl Reads, file: &str, at: OffsetDateTime) -> Result<Option<String>> {
    query(
        "SELECT id FROM number_pins WHERE file_id = $1 AND state IN ('sent', 'right') AND changed_at <= $2 \
         ORDER BY changed_at DESC, id DESC LIMIT 1",
    )
    .bind(file)
    .bind(at)
    .optional(db, |row| row.text("id"))
    .await
}

/// Those that were kept and never sent are of no use any more.
pub(super) async fn forget_kept(tx: &mut WriteTx, file: &str) -> Result<()> {
    query("DELETE FROM number_pins WHERE file_id = $1 AND state = 'kept'").bind(file).execute(tx).await?;
    Ok(())
}

/// Meta took it: the others are of no use any more.
pub(super) async fn right(tx: &mut WriteTx, file: &str, id: &str) -> Result<()> {
    let known = query("UPDATE number_pins SET state = 'right' WHERE id = $1").bind(id).execute(tx).await?;
    if known == 1 {
        // Not one that was sent after it: what Meta says of that is not known yet.
        query(
            "DELETE FROM number_pins WHERE file_id = $1 AND id <> $2 AND NOT (state = 'sent' AND \
             changed_at >= (SELECT changed_at FROM number_pins WHERE id = $2))",
        )
        .bind(file)
        .bind(id)
        .execute(tx)
        .await?;
    }
    Ok(())
}

/// Whether one is on its way to Meta: sent a moment ago, and not answered. Whoever asks in the same way waits until
/// this transaction is over.
pub(super) async fn is_under_way(tx: &mut WriteTx, file: &str, now: OffsetDateTime) -> Result<bool> {
    query("UPDATE number_files SET phone_number_id = phone_number_id WHERE id = $1").bind(file).execute(tx).await?;
    query("SELECT count(*) AS n FROM number_pins WHERE file_id = $1 AND state = 'sent' AND changed_at > $2")
        .bind(file)
        .bind(now - ANSWERED_BY)
        .one(tx, |row| Ok(row.int("n")? > 0))
        .await
}

/// Whether one is being set right now, other than by registering: which one Meta has is not known until it is.
pub(super) async fn is_being_set(db: &mut impl Reads, file: &str, now: OffsetDateTime) -> Result<bool> {
    query(
        "SELECT count(*) AS n FROM number_pins p WHERE file_id = $1 AND state = 'sent' AND changed_at > $2 AND NOT \
         EXISTS (SELECT 1 FROM number_tries t WHERE t.file_id = $1 AND t.kind = $3 AND t.at >= p.changed_at)",
    )
    .bind(file)
    .bind(now - ANSWERED_BY)
    .bind(TryKind::Register.as_str())
    .one(db, |row| Ok(row.int("n")? > 0))
    .await
}

/// Meta did not take it. One that it took before was changed elsewhere since.
pub(super) async fn wrong(tx: &mut WriteTx, id: &str) -> Result<()> {
    query("DELETE FROM number_pins WHERE id = $1 AND state = 'sent'").bind(id).execute(tx).await?;
    query("UPDATE number_pins SET state = 'stale' WHERE id = $1").bind(id).execute(tx).await?;
    Ok(())
}

/// Meta refused to set it.
pub(super) async fn forget(tx: &mut WriteTx, id: &str) -> Result<()> {
    query("DELETE FROM number_pins WHERE id = $1").bind(id).execute(tx).await?;
    Ok(())
}

/// Somebody changed the PIN at Meta then: what was kept before is stale.
pub(super) async fn changed_elsewhere(tx: &mut WriteTx, file: &str, at: OffsetDateTime) -> Result<u64> {
    query("UPDATE number_pins SET state = 'stale' WHERE file_id = $1 AND changed_at <= $2 AND state <> 'stale'")
        .bind(file)
        .bind(at)
        .execute(tx)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn made_ones_are_six_digits_that_differ() {
        let made: std::collections::BTreeSet<String> = (0..40).map(|_| make().expose_secret().to_owned()).collect();
        assert!(made.len() > 30);
        assert!(made.iter().all(|pin| crate::phone_numbers::file::is_pin(pin)));
    }
}
