//! Whose a webhook is, and what it changes in other features.

use super::{account_news, number_news};
use crate::{
    base::ids::WabaId,
    connections::{self, Connections},
    forwarding::Forwarding,
    message_templates::MessageTemplates,
    messaging::Messaging,
    phone_numbers::{self, PhoneNumbers},
    signup::{PartnerEvent, Signup},
    store::{Reads, Result, WriteTx},
    webhooks::{Address, Consequences, Owner, Place, RoutedChange},
};
use futures_util::future::BoxFuture;
use time::OffsetDateTime;

/// The features that webhooks concern.
pub(super) struct Wired {
    pub connections: Connections,
    pub signup: Signup,
    pub forwarding: Forwarding,
    pub messaging: Messaging,
    pub templates: MessageTemplates,
    pub numbers: PhoneNumbers,
}

impl Consequences for Wired {
    fn place<'a>(&'a self, tx: &'a mut WriteTx, address: &'a Address) -> BoxFuture<'a, Result<Place>> {
        Box::pin(place_of(tx, address))
    }

    fn may_have<'a>(
        &'a self,
        tx: &'a mut WriteTx,
        address: &'a Address,
        place: &'a Place,
        last: OffsetDateTime,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let Some(owner) = place.owner else { return Ok(false) };
            let wabas =
                [address.waba.as_ref(), place.waba.as_ref().filter(|waba| address.waba.as_ref() != Some(*waba))];
            let number = place.phone_number.as_ref().or(address.phone_number.as_ref());
            Ok(!connections::was_anothers(tx, owner.customer, wabas, number, last).await?)
        })
    }

    fn follow<'a>(&'a self, tx: &'a mut WriteTx, changes: &'a [RoutedChange<'a>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            // With partner events the operator's app is told of what was shared with it; a customer's app can only
            // pretend to be.
            for change in changes.iter().filter(|change| change.sender.is_none()) {
                self.partner_event(tx, change).await?;
            }
            self.change_state(tx, changes).await
        })
    }

    /// What a partner event means for a signup was kept when it came, whosever it was.
    fn follow_late<'a>(&'a self, tx: &'a mut WriteTx, changes: &'a [RoutedChange<'a>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.change_state(tx, changes))
    }

    fn left_out<'a>(&'a self, tx: &'a mut WriteTx, sender: Owner) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.connections.own_app_left_out(tx, sender.connection))
    }

    fn committed(&self) {
        self.signup.wake();
        self.forwarding.committed();
    }
}

impl Wired {
    async fn change_state(&self, tx: &mut WriteTx, changes: &[RoutedChange<'_>]) -> Result<()> {
        for change in changes {
            account_news::take(&self.connections, tx, change).await?;
            number_news::take(&self.numbers, tx, change).await?;
        }
        self.messaging.take(tx, changes).await?;
        self.templates.take(tx, changes).await?;
        self.forwarding.plan(tx, changes).await
    }

    async fn partner_event(&self, tx: &mut WriteTx, routed: &RoutedChange<'_>) -> Result<()> {
        if routed.change.field != "account_update" {
            return Ok(());
        }
        // https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_update
        let value = routed.change.json();
        let event = value.get("event").and_then(|event| event.as_str()).unwrap_or_default();
        let info = value.get("waba_info");
        let text = |key: &str| info.and_then(|info| info.get(key)).and_then(|id| id.as_str());
        let waba = text("waba_id").and_then(|id| id.parse::<WabaId>().ok());
        if let (true, Some(waba)) = (event.starts_with("PARTNER_"), waba) {
            let business = text("owner_business_id").and_then(|id| id.parse().ok());
            let at = routed.change.time.and_then(|at| time::OffsetDateTime::from_unix_timestamp(at).ok());
            self.signup.partner_event(tx, &PartnerEvent { event: event.to_owned(), waba, business, at }).await?;
        }
        Ok(())
    }
}

/// As it is now.
pub(super) async fn place_of(db: &mut impl Reads, address: &Address) -> Result<Place> {
    let mut place = Place { waba: address.waba.clone(), phone_number: address.phone_number.clone(), owner: None };
    // Messages go by the number alone: a WABA's ID in them is not looked at.
    if let Some(number) = &place.phone_number
        && let Some(waba) = phone_numbers::waba_of(db, number).await?
    {
        place.waba = Some(waba);
    }
    let Some(waba) = &place.waba else { return Ok(place) };
    if let (None, Some(display)) = (&place.phone_number, &address.display) {
        place.phone_number = phone_numbers::written_so(db, waba, display).await?;
    }
    if let (None, Some(perhaps)) = (&place.phone_number, &address.perhaps)
        && phone_numbers::waba_of(db, perhaps).await?.as_ref() == Some(waba)
    {
        place.phone_number = Some(perhaps.clone());
    }
    let owner = connections::owner(db, waba).await?;
    place.owner = owner.map(|owner| Owner { customer: owner.customer, connection: owner.connection });
    Ok(place)
}
