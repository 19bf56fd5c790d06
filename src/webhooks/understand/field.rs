//! What each field is about.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview#fields>

use super::{super::kind::Kind, loose::Word, value::Told};

/// The kind of a change of this field.
pub(super) fn kind(field: &str, told: &Told<'_>) -> Kind {
    match field {
        "messages" if !told.messages.is_empty() => Kind::MessageReceived,
        "messages" if !told.statuses.is_empty() => Kind::MessageStatus,
        "messages" if !told.errors.is_empty() => Kind::MessageError,
        "messages" if !told.user_actions.is_empty() => Kind::LinkClicked,
        "smb_message_echoes" | "message_echoes" => Kind::MessageEcho,
        "history" => Kind::HistoryReceived,
        "smb_app_state_sync" => Kind::ContactsSynced,
        "user_preferences" => Kind::PreferencesChanged,
        "calls" => Kind::CallUpdated,
        "phone_number_quality_update" => Kind::NumberQualityChanged,
        "phone_number_name_update" => Kind::NumberNameReviewed,
        "phone_number_username_update" => Kind::NumberUsernameReviewed,
        "security" => Kind::NumberSecurityChanged,
        // The page of the quality update shows it under this field.
        "message_template_status_update" if told.event.is_empty() && !told.new_quality_score.is_empty() => {
            Kind::TemplateQualityChanged
        }
        "message_template_status_update" => Kind::TemplateStatusChanged,
        "message_template_quality_update" => Kind::TemplateQualityChanged,
        "message_template_components_update" => Kind::TemplateComponentsChanged,
        "template_category_update" => Kind::TemplateCategoryChanged,
        "account_update" => Kind::AccountUpdated,
        "account_alerts" => Kind::AccountAlert,
        "account_review_update" => Kind::AccountReviewed,
        "account_settings_update" => Kind::AccountSettingsChanged,
        "business_capability_update" => Kind::AccountLimitsChanged,
        "partner_solutions" => Kind::PartnerSolutionUpdated,
        "payment_configuration_update" => Kind::PaymentConfigurationUpdated,
        "automatic_events" => Kind::AutomaticEvent,
        "flows" => Kind::FlowUpdated,
        field if field.starts_with("group_") => Kind::GroupUpdated,
        _ => Kind::Other,
    }
}

/// The word that says most of it.
pub(super) fn detail<'t>(kind: Kind, told: &'t Told<'_>) -> &'t str {
    let first = |words: &[Option<&'t Word<'_>>]| {
        words.iter().flatten().find(|word| !word.is_empty()).map_or("", |word| word.0.as_ref())
    };
    match kind {
        Kind::MessageReceived => first(&[told.messages.first().map(|one| &one.kind)]),
        Kind::MessageStatus => first(&[told.statuses.first().map(|one| &one.status)]),
        Kind::MessageEcho => first(&[told.message_echoes.first().map(|one| &one.kind)]),
        Kind::MessageError => first(&[told.errors.first().map(|one| &one.code)]),
        Kind::LinkClicked => first(&[told.user_actions.first().map(|one| &one.action_type)]),
        Kind::HistoryReceived => first(&[
            told.history.first().and_then(|one| one.errors.first()).map(|one| &one.code),
            told.history.first().map(|one| &one.metadata.phase),
            told.messages.first().map(|one| &one.kind),
        ]),
        Kind::ContactsSynced => first(&[told.state_sync.first().map(|one| &one.action)]),
        Kind::PreferencesChanged => first(&[told.user_preferences.first().map(|one| &one.value)]),
        Kind::CallUpdated => first(&[
            told.calls.first().map(|one| &one.event),
            told.statuses.first().map(|one| &one.status),
            told.errors.first().map(|one| &one.code),
        ]),
        Kind::GroupUpdated => first(&[told.groups.first().map(|one| &one.kind)]),
        Kind::AutomaticEvent => first(&[told.automatic_events.first().map(|one| &one.event_name)]),
        Kind::AccountAlert => first(&[Some(&told.alert_info.alert_type)]),
        Kind::TemplateQualityChanged => first(&[Some(&told.new_quality_score)]),
        Kind::TemplateCategoryChanged => first(&[Some(&told.correct_category), Some(&told.new_category)]),
        Kind::TemplateComponentsChanged => first(&[Some(&told.template_name)]),
        Kind::AccountSettingsChanged => first(&[Some(&told.kind)]),
        _ => first(&[Some(&told.event), Some(&told.decision), Some(&told.status)]),
    }
}
