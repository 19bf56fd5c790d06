//! What is left to do for a connection to work, for its page.

use super::{
    model::{ConnectionState, WabaRecord},
    own_app::Unheard,
    service::Overview,
};
use crate::{
    phone_numbers::{Number, Registration},
    web::Site,
};

/// One thing that is left to do.
pub(super) struct Todo {
    /// `""` for what must be done, `done`, `optional`, `problem`.
    pub status: &'static str,
    pub title: String,
    pub hint: String,
    /// Where to do it: address, words.
    pub link: Option<(String, &'static str)>,
}

impl Todo {
    /// The icon that says its status.
    pub fn icon(&self) -> &'static str {
        match self.status {
            "done" => "done",
            "optional" => "info",
            "problem" => "error",
            _ => "warning",
        }
    }
}

/// Where a number is added to an account.
fn add_page(overview: &Overview, waba: &WabaRecord) -> String {
    format!("/connections/{}/numbers/new?waba={}", overview.connection.id, waba.id)
}

/// How to add a payment method.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/overview>
const PAYMENT_HELP: &str = "https://www.facebook.com/business/help/488291839463771";
/// How to verify a business.
const VERIFY_HELP: &str = "https://www.facebook.com/business/help/2058515294227817";

/// What is left to do for a connection to work.
pub(super) fn todos(overview: &Overview, unheard: Option<Unheard>, site: &Site) -> Vec<Todo> {
    let done = |title: &str| Todo { status: "done", title: title.to_owned(), hint: String::new(), link: None };
    let mut all = vec![done("Connect your account")];
    if overview.connection.state == ConnectionState::NeedsReconnect {
        all[0] = Todo {
            status: "problem",
            title: "Connect again".to_owned(),
            hint: "Facebook ended the access. Your name, settings and history stay.".to_owned(),
            link: Some((format!("/connections/{}/reconnect", overview.connection.id), "Connect again")),
        };
        if overview.connection.is_own_app {
            all[0].title = "Replace the token".to_owned();
            all[0].hint =
                "Meta does not take the token of your app any more. Your name, settings and history stay.".to_owned();
            let page = format!("/connections/{}/own-app", overview.connection.id);
            all[0].link = Some((page, "Enter a new token"));
        }
    }
    all.extend(unheard.map(|why| of_own_app(why, &format!("/connections/{}/own-app", overview.connection.id))));
    // Without access nothing can be done about numbers.
    let open = overview.wabas.iter().filter(|_| overview.connection.state == ConnectionState::Active);
    for (waba, numbers) in open {
        if numbers.is_empty() {
            all.push(Todo {
                status: "",
                title: format!("Add a number to {}", waba.name),
                hint: "This account has no number yet.".to_owned(),
                link: Some((add_page(overview, waba), "Add a number")),
            });
        }
        for number in numbers {
            let page = format!("/connections/{}/numbers/{}", overview.connection.id, number.id);
            all.extend(number_todos(number, &page));
        }
    }
    if !site.solution_partner {
        all.push(Todo {
            status: "",
            title: "Add a payment method at Meta".to_owned(),
            hint: "Without one, you can answer people, but not write to them first. Meta bills you directly."
                .to_owned(),
            link: Some((PAYMENT_HELP.to_owned(), "How to add it")),
        });
    }
    if overview.wabas.iter().all(|(waba, _)| WabaRecord::is_business_verified(waba)) {
        all.push(done("Verify your business at Meta"));
    } else {
        all.push(Todo {
            status: "optional",
            title: "Verify your business at Meta".to_owned(),
            hint: "Not required, but it can raise the number of people you may write to first.".to_owned(),
            link: Some((VERIFY_HELP.to_owned(), "How to verify")),
        });
    }
    all
}

/// What is left to do before messages come in through the customer's own app. `page`: of that app.
fn of_own_app(why: Unheard, page: &str) -> Todo {
    match why {
        Unheard::NoSecret => Todo {
            status: "problem",
            title: "Enter the App Secret, or no message comes in".to_owned(),
            hint: "Meta signs each message with it. What can’t be checked is refused.".to_owned(),
            link: Some((format!("{page}#app"), "Enter the App Secret")),
        },
        Unheard::NoCallback => Todo {
            status: "",
            title: "Save the callback at Meta".to_owned(),
            hint: "Your app must know where to send messages. Until then none come in.".to_owned(),
            link: Some((format!("{page}#webhooks"), "See what to enter")),
        },
    }
}

fn number_todos(number: &Number, page: &str) -> Vec<Todo> {
    let shown = number.international();
    let mut all = Vec::new();
    match number.registration() {
        Registration::Ready | Registration::Coexistence => {}
        Registration::Unverified => all.push(Todo {
            status: "",
            title: format!("Confirm {shown} by code"),
            hint: "Meta has not seen yet that the number is yours. It sends a code to it.".to_owned(),
            link: Some((format!("{page}/verify"), "Confirm number")),
        }),
        Registration::NamePending => all.push(Todo {
            status: "",
            title: format!("Wait until Meta has checked the name of {shown}"),
            hint: format!(
                "Meta looks at “{}”. You can ask now for the number to be registered as soon as Meta is ready.",
                number.verified_name
            ),
            link: Some((format!("{page}/register"), "Register when ready")),
        }),
        Registration::NameDeclined => all.push(Todo {
            status: "problem",
            title: format!("Choose another display name for {shown}"),
            hint: format!("Meta has declined “{}”. Then the number can be registered.", number.verified_name),
            link: Some((format!("{page}/name"), "Choose another name")),
        }),
        Registration::NotRegistered => all.push(Todo {
            status: "",
            title: format!("Register {shown}"),
            hint: "It can't send or receive yet. This takes some seconds.".to_owned(),
            link: Some((format!("{page}/register"), "Register")),
        }),
        Registration::Unclear => all.push(Todo {
            status: "",
            title: format!("Look after {shown}"),
            hint: "Meta says something of the number that stands for no use of it: that it moved, for example. Its page has Meta’s word.".to_owned(),
            link: Some((page.to_owned(), "Open the number")),
        }),
        Registration::Blocked => all.push(Todo {
            status: "problem",
            title: format!("Meta has blocked {shown}"),
            hint: "Open Business Support Home at Meta to see why, and to ask for a review.".to_owned(),
            link: Some((
                "https://business.facebook.com/business-support-home".to_owned(),
                "Open Business Support Home",
            )),
        }),
    }
    // Meta's own word on what stands in the way of sending; what is wrong with the number itself is said above.
    let said = !all.is_empty();
    for obstacle in number.obstacles.iter().filter(|obstacle| !(said && obstacle.is_of_number)) {
        all.push(Todo {
            status: "problem",
            title: format!("Meta says about {shown}: {}", obstacle.description),
            hint: obstacle.solution.clone(),
            link: None,
        });
    }
    all
}
