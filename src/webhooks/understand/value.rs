//! What is read of a change's value.

use super::loose::{Object, ObjectSeed, object};
use serde::de::DeserializeSeed as _;
use std::marker::PhantomData;

object!(
    /// The business's number.
    Metadata { phone_number_id: "phone_number_id" }
);
object!(
    /// The account in a partner's event.
    WabaInfo { waba_id: "waba_id" }
);
object!(
    /// The number whose settings changed.
    NumberSettings { phone_number_id: "phone_number_id" }
);
object!(
    /// What an alert is about.
    AlertInfo { alert_type: "alert_type" }
);
object!(
    /// A message, coming in or going out.
    Message {
        id: "id",
        kind: "type",
        from: "from",
        from_user_id: "from_user_id",
        to: "to",
        to_user_id: "to_user_id",
        group_id: "group_id",
    }
);
object!(
    /// What became of a message.
    Status {
        id: "id",
        kind: "type",
        status: "status",
        recipient_id: "recipient_id",
        recipient_user_id: "recipient_user_id",
        recipient_type: "recipient_type",
        participant: "recipient_participant_id",
        participant_user_id: "recipient_participant_user_id",
    }
);
object!(
    /// A person.
    Contact { wa_id: "wa_id", user_id: "user_id" }
);
object!(
    /// An error.
    Problem { code: "code" }
);
object!(
    /// Where in the synchronisation of the history one is.
    Phase { phase: "phase" }
);
object!(
    /// One of the things that other fields list: calls, groups, preferences, events, contacts of the app, history.
    Thing {
        kind: "type",
        event: "event",
        value: "value",
        action: "action",
        action_type: "action_type",
        event_name: "event_name",
    }
    objects { metadata: "metadata" Phase }
    lists { errors: "errors" Problem }
);
object!(
    /// A change's value.
    Told {
        display_phone_number: "display_phone_number",
        phone_number: "phone_number",
        entity_type: "entity_type",
        entity_id: "entity_id",
        event: "event",
        kind: "type",
        status: "status",
        decision: "decision",
        new_category: "new_category",
        correct_category: "correct_category",
        new_quality_score: "new_quality_score",
        template_name: "message_template_name",
    }
    objects {
        metadata: "metadata" Metadata,
        waba_info: "waba_info" WabaInfo,
        phone_number_settings: "phone_number_settings" NumberSettings,
        alert_info: "alert_info" AlertInfo,
    }
    lists {
        contacts: "contacts" Contact,
        messages: "messages" Message,
        statuses: "statuses" Status,
        message_echoes: "message_echoes" Message,
        errors: "errors" Problem,
        calls: "calls" Thing,
        groups: "groups" Thing,
        user_preferences: "user_preferences" Thing,
        user_actions: "user_actions" Thing,
        automatic_events: "automatic_events" Thing,
        state_sync: "state_sync" Thing,
        history: "history" Thing,
    }
);

impl<'a> Told<'a> {
    /// As much as can be read of it; `None` where some of it is nothing that `serde_json` takes.
    pub fn read(value: &'a str) -> Option<Self> {
        let mut json = serde_json::Deserializer::from_str(value);
        ObjectSeed::<'a, Self>(PhantomData).deserialize(&mut json).map(|Object(told)| told).ok()
    }
}
