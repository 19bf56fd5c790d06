//! `/backoffice/settings`: Meta's side, its check, and the button that registers our webhooks.

use super::{
    Backoffice,
    check_run::RegisterError,
    settings::SettingsError,
    settings_form::SettingsForm,
    settings_view::{Failed, SettingsPage, Trouble, is_locked, page, summary},
};
use crate::{
    accounts::Admin,
    graph::{ErrorClass, GraphError},
    web::{Access, Chrome, Form, NoFields, Result, Routes, page as web_page},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use tower_sessions::Session;

const PATH: &str = "/backoffice/settings";
const CHECK: &str = "/backoffice/settings#check";

pub(super) fn routes() -> Routes<Backoffice> {
    Routes::new()
        .get(Access::Admin, PATH, show)
        .post(Access::Admin, PATH, save)
        .get(Access::Admin, "/backoffice/settings/check", back)
        .post(Access::Admin, "/backoffice/settings/check", check)
        .get(Access::Admin, "/backoffice/settings/webhooks", back)
        .post(Access::Admin, "/backoffice/settings/webhooks", register)
        .get(Access::Admin, "/backoffice/settings/old-secret", back)
        .post(Access::Admin, "/backoffice/settings/old-secret", stop_old_secret)
}

/// A form that was shown again with its error stands under its own address: opened, it leads back.
async fn back() -> Redirect {
    Redirect::to(PATH)
}

async fn show(State(office): State<Backoffice>, chrome: Chrome) -> Result<SettingsPage> {
    page(&office, chrome, Failed::default()).await
}

async fn again(office: &Backoffice, chrome: Chrome, failed: Failed) -> Result<Response> {
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(office, chrome, failed).await?).into_response())
}

async fn save(
    State(office): State<Backoffice>,
    chrome: Chrome,
    session: Session,
    Admin(user): Admin,
    Form(form): Form<SettingsForm>,
) -> Result<Response> {
    let settings = &office.settings;
    let has_app = settings.stored().await?.app_id.is_some();
    let typed = match form.read(|name| is_locked(settings.fixed(), name), has_app) {
        Ok(typed) => typed,
        Err(errors) => {
            let trouble = Trouble {
                title: "Nothing was saved yet".to_owned(),
                text: "Look at the fields that are marked.".to_owned(),
                detail: None,
            };
            return again(
                &office,
                chrome,
                Failed { typed: Some(form), errors, trouble: Some(trouble), changed: false },
            )
            .await;
        }
    };
    match settings.save(Some(user.id), &typed).await {
        Ok(changed) if changed.is_empty() => {
            web_page::flash(&session, "Nothing was changed.").await?;
            Ok(Redirect::to(PATH).into_response())
        }
        Ok(_) => {
            // It is saved whatever the check finds, and however long Meta takes.
            let findings = office.checks.run(None).await?;
            web_page::flash(&session, &format!("Saved. The check: {}.", summary(&findings))).await?;
            Ok(Redirect::to(CHECK).into_response())
        }
        Err(SettingsError::Changed) => {
            let trouble = Trouble {
                title: "Changed meanwhile".to_owned(),
                text: "Somebody else saved these settings while you typed. What you typed is still here, and where it differs from what is saved now, that stands beside it. Save again to let yours count.".to_owned(),
                detail: None,
            };
            let failed = Failed { typed: Some(form), trouble: Some(trouble), changed: true, ..Failed::default() };
            again(&office, chrome, failed).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn check(
    State(office): State<Backoffice>,
    session: Session,
    Admin(user): Admin,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    let findings = office.checks.run(Some(user.id)).await?;
    web_page::flash(&session, &format!("Checked: {}.", summary(&findings))).await?;
    Ok(Redirect::to(CHECK))
}

async fn stop_old_secret(
    State(office): State<Backoffice>,
    session: Session,
    Admin(user): Admin,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Redirect> {
    if office.settings.stop_old_secret(user.id).await? {
        web_page::flash(&session, "The old App Secret is no longer taken.").await?;
    }
    Ok(Redirect::to(PATH))
}

async fn register(
    State(office): State<Backoffice>,
    chrome: Chrome,
    session: Session,
    Admin(user): Admin,
    Form(NoFields {}): Form<NoFields>,
) -> Result<Response> {
    let outcome = office.checks.register_webhooks(user.id).await;
    if !matches!(outcome, Err(RegisterError::Incomplete | RegisterError::Store(_))) {
        office.checks.run(None).await?;
    }
    let error = match outcome {
        Ok(left_out) => {
            let text = if left_out.is_empty() {
                "Callback and fields are registered at Meta.".to_owned()
            } else {
                format!(
                    "Callback and fields are registered at Meta, except {}: it does not take them for this app.",
                    left_out.join(", ")
                )
            };
            web_page::flash(&session, &text).await?;
            return Ok(Redirect::to(CHECK).into_response());
        }
        Err(RegisterError::Store(error)) => return Err(error.into()),
        Err(error) => error,
    };
    let trouble = Some(trouble(&error));
    again(&office, chrome, Failed { trouble, ..Failed::default() }).await
}

/// Why the webhooks are not registered, and how to do it by hand.
fn trouble(error: &RegisterError) -> Trouble {
    let by_hand = "To do it by hand: App Dashboard, WhatsApp > Configuration > Webhook: enter the callback URL and the verify token from the box of values, press Verify and save, then switch the fields on.";
    let (text, detail) = match error {
        RegisterError::Incomplete => {
            ("App ID, App Secret and verify token come first: enter them below and save.".to_owned(), None)
        }
        RegisterError::NotKept(fields) => {
            (format!("Meta said yes, but does not list these: {}. {by_hand}", fields.join(", ")), None)
        }
        RegisterError::Store(error) => (error.to_string(), None),
        RegisterError::Refused(error) => (refusal(error, by_hand), Some(error.to_string())),
    };
    Trouble { title: "The webhooks are not registered".to_owned(), text, detail }
}

fn refusal(error: &GraphError, by_hand: &str) -> String {
    match (error.api().map(|api| api.code), error.class()) {
        // Meta asks the callback for its challenge before it answers.
        (Some(2200), _) => format!(
            "Meta could not reach the callback address, or did not get its challenge back. The address must be reachable from the internet by https with a certificate of a public authority: open it from a phone without Wi-Fi. {by_hand}"
        ),
        (_, ErrorClass::Transient | ErrorClass::RateLimited) => {
            "Meta does not answer now. Nothing was changed here; try again in some minutes.".to_owned()
        }
        (Some(15 | 190), _) => {
            "Meta does not take App ID and App Secret. Mend them first: the check below says what is wrong.".to_owned()
        }
        _ => format!("Meta refused it. {by_hand}"),
    }
}
