//! A number's page: how it stands, what to do next, how it went.

use super::{
    chart::{self, Charts},
    file::Stage,
    model::{Number, Registration},
    numbers::Found,
    pages::{Head, NumberPages, Own, done, page_of, refusal},
    register_page::{Meanwhile, region_name},
    staff_view,
    sync_view::SyncView,
    words::{self, Node},
};
use crate::web::{Badge, Chrome, Form, NoFields, Result, page, when::When};
use askama::Template;
use askama_web::WebTemplate;
use axum::{extract::State, response::Redirect};
use tower_sessions::Session;

/// Why a refresh failed, for the next page; the other messages say that something is done.
const FAULT_KEY: &str = "number_fault";

/// One fact, as a badge where it is a state.
struct Fact {
    name: &'static str,
    value: String,
    badge: Option<Badge>,
    /// What it means.
    hint: &'static str,
}

#[derive(Template, WebTemplate)]
#[template(path = "phone_numbers/show.html")]
pub(super) struct ShowPage {
    chrome: Chrome,
    head: Head,
    id: String,
    waba: String,
    badge: Badge,
    verified_name: String,
    facts: Vec<Fact>,
    nodes: Vec<Node>,
    sending: Option<Badge>,
    charts: Option<Charts>,
    read: When,
    /// What goes on, or went wrong, with a link to the wizard.
    meanwhile: Option<Meanwhile>,
    registration: &'static str,
    /// The name that Meta looks at, with its word.
    new_name: Option<(String, Badge)>,
    webhooks: Vec<(&'static str, String)>,
    own_webhooks: bool,
    sync: Option<SyncView>,
    moved: Option<When>,
    /// The page of the number as it is in another account.
    elsewhere: Option<String>,
    fault: Option<String>,
    /// Our access has ended: all is as it was read last.
    inactive: bool,
}

fn facts(number: &Number, region: Option<&str>, is_shared: bool) -> Vec<Fact> {
    let plain = |name, value: String, hint| Fact { name, value, badge: None, hint };
    let badge = |name, badge: Badge, hint| Fact { name, value: String::new(), badge: Some(badge), hint };
    let quality = number.quality();
    let official = if number.is_official == Some(true) { "Yes, with the blue tick" } else { "No" };
    let region = region.map(|region| {
        let hint = "To change it, deregister the number, then register it with another country.";
        plain("Messages are kept in", region_name(region).to_owned(), hint)
    });
    let mut all = vec![
        plain("Name", number.verified_name.clone(), ""),
        badge("Name check", words::name_check(number.name_status.as_deref()), ""),
        badge(
            "Quality",
            Badge::new(quality.badge(), quality.word()),
            words::quality_means(number.quality_rating.as_deref()),
        ),
        plain(
            "Limit in 24 hours",
            number.limit().words(),
            "People you write to first. All numbers of your business share it; answers do not count.",
        ),
        plain("Speed", staff_view::speed(number), ""),
        plain("At Meta", words::plain(number.status.as_deref()), ""),
        plain("Runs on", words::plain(number.platform_type.as_deref()), ""),
        plain("Confirmed by code", words::plain(number.code_verification_status.as_deref()), ""),
        plain("For whom", words::plain(number.account_mode.as_deref()), ""),
        plain("In the WhatsApp Business app too", if is_shared { "Yes" } else { "No" }.to_owned(), ""),
        plain("Official Business Account", official.to_owned(), ""),
    ];
    all.extend(region);
    all
}

async fn view(pages: &NumberPages, chrome: Chrome, found: &Found, fault: Option<String>) -> Result<ShowPage> {
    let numbers = &pages.numbers;
    let (number, now) = (&found.number, numbers.now());
    let kept = numbers.kept(&found.file, chart::BACK).await?;
    let registration = number.registration();
    let is_shared = registration == Registration::Coexistence;
    let health = number.health.as_ref();
    let hook = |name, address: Option<&String>| address.map(|address| (name, address.clone()));
    let webhooks: Vec<_> = [
        hook("This number’s own", number.webhooks.number.as_ref()),
        hook("The account’s", number.webhooks.account.as_ref()),
        hook("The app’s", number.webhooks.app.as_ref()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let new_name = number.new_name.clone().filter(|name| *name != number.verified_name);
    let status = number.new_name_status.as_deref().filter(|status| *status != "NONE");
    let elsewhere = numbers.moved_to(found).await?.filter(|now| found.held.wabas.contains(&now.waba_id));
    Ok(ShowPage {
        head: Head::new(found),
        id: number.id.to_string(),
        waba: number.waba_id.to_string(),
        badge: if found.held.is_active { words::state(number) } else { Badge::new("neutral", "Not known now") },
        verified_name: number.verified_name.clone(),
        facts: facts(number, found.file.region_set.as_deref(), is_shared),
        nodes: health.map(|health| health.nodes.iter().map(words::node).collect()).unwrap_or_default(),
        sending: health.map(|health| match health.can_send.as_str() {
            _ if !found.held.is_active => Badge::new("neutral", "Not now: our access has ended"),
            "AVAILABLE" => Badge::new("good", "Messages can be sent"),
            "LIMITED" => Badge::new("attention", "Sending is limited"),
            "BLOCKED" => Badge::new("problem", "No messages can be sent"),
            other => Badge::new("neutral", words::sentence(other)),
        }),
        charts: chart::of(&kept.readings, now),
        read: When::new(number.read_at, now),
        meanwhile: Meanwhile::of(&found.file, number, now).filter(|_| found.file.stage != Some(Stage::Done)),
        registration: match registration {
            Registration::Ready => "ready",
            Registration::Coexistence => "coexistence",
            Registration::Unverified => "unverified",
            Registration::NamePending => "name",
            Registration::NameDeclined => "declined",
            Registration::NotRegistered => "not",
            Registration::Blocked => "blocked",
            Registration::Unclear => "unclear",
        },
        new_name: new_name.zip(status).map(|(name, status)| (name, words::name_check(Some(status)))),
        own_webhooks: webhooks.iter().any(|(name, _)| *name != "The app’s"),
        webhooks,
        sync: match is_shared {
            true => Some(SyncView::of(numbers, &number.id, now).await?),
            false => None,
        },
        moved: found.file.moved_at.filter(|_| elsewhere.is_none()).map(|at| When::new(at, now)),
        elsewhere: elsewhere.map(|now| format!("/connections/{}/numbers/{}", found.held.connection, now.id)),
        fault: fault.filter(|_| found.held.is_active),
        inactive: !found.held.is_active,
        chrome,
    })
}

pub(super) async fn show(
    State(pages): State<NumberPages>,
    chrome: Chrome,
    session: Session,
    Own { found, .. }: Own,
) -> Result<ShowPage> {
    let fault = session.remove::<String>(FAULT_KEY).await?;
    view(&pages, chrome, &found, fault).await
}

/// Reads the number at Meta, and says what changed.
pub(super) async fn refresh(
    State(pages): State<NumberPages>,
    session: Session,
    Own { found, .. }: Own,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let address = page_of(&found);
    match pages.numbers.refresh(&found).await {
        Ok(after) => {
            let changes = words::changes(&found.number, &after);
            let text = match changes.is_empty() {
                true => "Read again: nothing has changed.".to_owned(),
                false => format!("Read again. {}", changes.join(" ")),
            };
            page::flash(&session, &text).await?;
        }
        Err(error) => session.insert(FAULT_KEY, refusal(error)?).await?,
    }
    Ok(Redirect::to(&address))
}

/// Asks the WhatsApp Business app for its data once more.
pub(super) async fn sync(
    State(pages): State<NumberPages>,
    session: Session,
    Own { found, .. }: Own,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    if found.number.registration() != Registration::Coexistence {
        return Ok(Redirect::to(&page_of(&found)));
    }
    pages.numbers.sync_again(&found.number.id).await?;
    done(&session, "We are asking the app again.", &page_of(&found)).await
}
