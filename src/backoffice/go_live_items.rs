//! All that Meta's dashboard and App Review want before customers can be connected, in Meta's order.
//!
//! Meta: <https://developers.facebook.com/documentation/business-messaging/whatsapp/solution-providers/get-started-for-tech-providers>,
//! <https://developers.facebook.com/documentation/development/create-an-app/whatsapp-use-case>,
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/implementation>,
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/solution-providers/app-review>,
//! <https://developers.facebook.com/docs/development/release/access-verification>.

/// One item of the list.
pub(super) struct Item {
    /// Its name in the database.
    pub id: &'static str,
    /// What is to be done.
    pub title: &'static str,
    /// Where in Meta's dashboard.
    pub place: &'static str,
    /// Why.
    pub why: &'static str,
    /// The lines of the check that show it done, all of them green. None: Meta shows it to no program.
    pub seen_by: &'static [&'static str],
}

const fn item(
    id: &'static str,
    title: &'static str,
    place: &'static str,
    why: &'static str,
    seen_by: &'static [&'static str],
) -> Item {
    Item { id, title, place, why, seen_by }
}

const LOGIN: &str = "Facebook Login for Business > Settings > Client OAuth settings";
const BASIC: &str = "App settings > Basic";

/// The list.
pub(super) const ITEMS: [Item; 22] = [
    item(
        "app",
        "A business app with the WhatsApp product",
        "My Apps > Create app > use case “Connect with customers through WhatsApp”, with your business portfolio",
        "The app is you at Meta. Older apps: the product WhatsApp in the side menu.",
        &[],
    ),
    item(
        "privacy",
        "Privacy policy URL",
        BASIC,
        "App Review reads it, and customers see it in Facebook’s window.",
        &["app.privacy"],
    ),
    item("terms", "Terms of Service URL", BASIC, "Needed before the app can be switched to Live.", &["app.terms"]),
    item("icon", "App icon", BASIC, "Customers see it. It must not use WhatsApp’s or Facebook’s brand.", &["app.icon"]),
    item("category", "Category", BASIC, "Needed before the app can be switched to Live.", &["app.category"]),
    item("app_domains", "App Domains", BASIC, "The JavaScript SDK works on these domains only.", &["app.domains"]),
    item(
        "tech_provider",
        "Become a Tech Provider",
        "Use cases > Customize > Tech Provider onboarding (older apps: WhatsApp > Quickstart > Become a Tech Provider)",
        "Without it Facebook’s window says that you can’t onboard customers at the moment. Do it early: the WhatsApp Embedded Signup choices may be missing before.",
        &[],
    ),
    item(
        "business_verification",
        "Business Verification",
        "Tech Provider onboarding > Start verification",
        "Your business must be verified before App Review begins. Have name, address, phone and documents at hand.",
        &["business"],
    ),
    item("client_oauth", "Client OAuth login: Yes", LOGIN, "Facebook’s window uses it.", &[]),
    item("web_oauth", "Web OAuth login: Yes", LOGIN, "Facebook’s window uses it.", &[]),
    item("enforce_https", "Enforce HTTPS: Yes", LOGIN, "Codes must not travel unprotected.", &[]),
    item(
        "strict_mode",
        "Use Strict Mode for redirect URIs: Yes",
        LOGIN,
        "Only the exact address below gets a code.",
        &[],
    ),
    item(
        "js_sdk_login",
        "Login with the JavaScript SDK: Yes",
        LOGIN,
        "The button on the customer’s page opens Facebook’s window through it. Switch Embedded Browser OAuth Login on as well.",
        &[],
    ),
    item(
        "allowed_domains",
        "Allowed Domains for the JavaScript SDK",
        LOGIN,
        "Otherwise the window completes but brings nothing back. The value is in Meta settings, to copy.",
        &[],
    ),
    item(
        "redirect_uris",
        "Valid OAuth Redirect URIs",
        LOGIN,
        "The window’s page must be here as well as among the allowed domains. The value is in Meta settings, to copy.",
        &[],
    ),
    item(
        "configuration",
        "An Embedded Signup configuration, made from the template",
        "Facebook Login for Business > Configurations > Create from template > WhatsApp Embedded Signup Configuration With 60 Expiration Token; or Create configuration > WhatsApp Embedded Signup",
        "Its ID goes into Meta settings. It is seen as done when the first customer has come through it. Products: choose Cloud API only.",
        &["es_config"],
    ),
    item(
        "webhooks",
        "Webhooks: callback and fields",
        "WhatsApp > Configuration, or the button in Meta settings",
        "Messages, and the word that a customer has finished, come this way.",
        &["webhooks.callback", "webhooks.fields"],
    ),
    item(
        "advanced_management",
        "Advanced access to whatsapp_business_management",
        "App Review > Requests",
        "Send an explanation and a screen recording of your app, or of WhatsApp Manager, creating a message template.",
        &["permission.management"],
    ),
    item(
        "advanced_messaging",
        "Advanced access to whatsapp_business_messaging",
        "App Review > Requests",
        "Send an explanation and another recording: a message being sent, and WhatsApp showing that it arrives.",
        &["permission.messaging"],
    ),
    item(
        "access_verification",
        "Access Verification",
        "App Dashboard > Basics > Verifications > Access verification",
        "You tell Meta what you do with other businesses’ data; it takes about five days. Without it calls for people who have no role in the app fail.",
        &[],
    ),
    item(
        "data_use",
        "Data Use Checkup, if Meta asks for it",
        "App Dashboard > Required actions",
        "Meta wants it done before an app goes live.",
        &[],
    ),
    item(
        "live",
        "Live mode",
        "App Dashboard: the switch App Mode at the top, or Publish",
        "Some webhooks are not sent while the app is in development.",
        &[],
    ),
];
