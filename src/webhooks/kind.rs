//! What kinds of events there are: the names are those of the format *events*, and what endpoints choose by.

macro_rules! kinds {
    ($($variant:ident = $name:literal, $words:literal;)*) => {
        /// What an event is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind {
            $(#[doc = $words] $variant,)*
        }

        impl Kind {
            /// All of them, in the order in which people are shown them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name, such as `message.received`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// It in words.
            #[must_use]
            pub fn words(self) -> &'static str {
                match self { $(Self::$variant => $words),* }
            }

            /// The kind of this name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

kinds! {
    MessageReceived = "message.received", "Message received";
    MessageStatus = "message.status", "Message status";
    MessageEcho = "message.echo", "Message sent in the WhatsApp Business app";
    MessageError = "message.error", "Error";
    LinkClicked = "message.link_clicked", "Link in a marketing message clicked";
    HistoryReceived = "history.received", "Chat history";
    ContactsSynced = "contacts.synced", "Contacts of the WhatsApp Business app";
    PreferencesChanged = "contact.preferences_changed", "Marketing preference";
    CallUpdated = "call.updated", "Call";
    GroupUpdated = "group.updated", "Group";
    NumberQualityChanged = "number.quality_changed", "Number: limit or throughput";
    NumberNameReviewed = "number.name_reviewed", "Number: display name";
    NumberUsernameReviewed = "number.username_reviewed", "Number: username";
    NumberSecurityChanged = "number.security_changed", "Number: two-step verification";
    TemplateStatusChanged = "template.status_changed", "Template: status";
    TemplateQualityChanged = "template.quality_changed", "Template: quality";
    TemplateComponentsChanged = "template.components_changed", "Template: content";
    TemplateCategoryChanged = "template.category_changed", "Template: category";
    AccountUpdated = "account.updated", "Account";
    AccountAlert = "account.alert", "Account: alert";
    AccountReviewed = "account.reviewed", "Account: review";
    AccountSettingsChanged = "account.settings_changed", "Account: settings";
    AccountLimitsChanged = "account.limits_changed", "Account: limits";
    PartnerSolutionUpdated = "partner_solution.updated", "Partner solution";
    PaymentConfigurationUpdated = "payment_configuration.updated", "Payment configuration";
    AutomaticEvent = "automatic_event.detected", "Automatic event";
    FlowUpdated = "flow.updated", "Flow";
    Other = "other", "Something new";
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What this build does not know is [`Kind::Other`].
impl std::str::FromStr for Kind {
    type Err = std::convert::Infallible;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(Self::named(s).unwrap_or(Self::Other))
    }
}
