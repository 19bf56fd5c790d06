//! The dialog's screens, walked through by form as a browser without scripts would.

use super::*;

/// One page of the dialog, taken apart.
struct Page {
    path: String,
    status: StatusCode,
    html: String,
    csp: String,
}

fn attribute(html: &str, name: &str) -> Option<String> {
    let start = html.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = &html[start..start + html[start..].find('"')?];
    Some(value.replace("&#34;", "\"").replace("&quot;", "\"").replace("&#38;", "&").replace("&amp;", "&"))
}

impl Page {
    /// The fields of the screen's form, as a browser would send them.
    fn fields(&self) -> Vec<(String, String)> {
        let form = self.html.split("id=\"screen\"").nth(1).unwrap().split("</form>").next().unwrap();
        form.split("<input ")
            .skip(1)
            .filter_map(|rest| {
                let tag = format!(" {}", &rest[..rest.find('>').unwrap()]);
                let choice = tag.contains("type=\"radio\"") || tag.contains("type=\"checkbox\"");
                let sent = !choice || tag.contains(" checked");
                sent.then(|| Some((attribute(&tag, "name")?, attribute(&tag, "value").unwrap_or_default())))?
            })
            .collect()
    }

    fn primary(&self) -> String {
        let buttons: Vec<&str> = self.html.matches("class=\"primary\"").collect();
        assert_eq!(buttons.len(), 1, "{}", self.html);
        let after = self.html.split("class=\"primary\"").nth(1).unwrap();
        after[after.find('>').unwrap() + 1..after.find('<').unwrap()].to_owned()
    }

    fn event(&self) -> Value {
        serde_json::from_str(&attribute(&self.html, "data-event").unwrap()).unwrap_or_default()
    }
}

async fn get_page(sandbox: &Running, path: &str) -> Page {
    let mut answer = sandbox.page(path).await;
    let mut path = path.to_owned();
    while answer.status.is_redirection() {
        path = answer.headers["location"].to_str().unwrap().to_owned();
        answer = sandbox.page(&path).await;
    }
    let csp = answer.headers["content-security-policy"].to_str().unwrap().to_owned();
    assert!(answer.text.contains("Sandbox"), "{}", answer.text);
    Page { path, status: answer.status, html: answer.text, csp }
}

/// Presses a button; where it leads outside, the address comes back instead of a page.
async fn press(sandbox: &Running, page: &Page, button: &str, changes: &[(&str, &str)]) -> Result<Page, String> {
    let mut form = page.fields();
    form.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    form.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    form.push(("do".to_owned(), button.to_owned()));
    let answer = sandbox.send(sandbox.request(Method::POST, &page.path).form(&form)).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let target = answer.headers["location"].to_str().unwrap().to_owned();
    if target.starts_with("http") { Err(target) } else { Ok(get_page(sandbox, &target).await) }
}

async fn next(sandbox: &Running, page: &Page) -> Page {
    press(sandbox, page, "next", &[]).await.unwrap()
}

fn popup(extras: &Value) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("display", "popup")
        .append_pair("client_id", APP_ID)
        .append_pair("config_id", CONFIG)
        .append_pair("response_type", "code")
        .append_pair("origin", OPENER)
        .append_pair("channel", "f1")
        .append_pair("extras", &extras.to_string());
    format!("/v25.0/dialog/oauth?{}", query.finish())
}

async fn title(page: &Page) -> String {
    page.html.split("<h1>").nth(1).unwrap().split("</h1>").next().unwrap().to_owned()
}

#[tokio::test]
async fn clicking_only_the_primary_buttons_connects_one_number() {
    let sandbox = Running::start().await;
    let mut page = get_page(&sandbox, &popup(&json!({"setup": {}}))).await;
    let mut names = Vec::new();
    while !page.html.contains("data-ending") {
        assert!(page.html.contains("Cancel"));
        names.push(page.primary());
        page = next(&sandbox, &page).await;
    }
    let mut expected = vec!["Continue"; 7];
    expected.extend(["Confirm", "Finish"]);
    assert_eq!(names, expected);
    assert_eq!(attribute(&page.html, "data-opener").unwrap(), OPENER);
    assert_eq!(attribute(&page.html, "data-channel").unwrap(), "f1");
    let event = page.event();
    assert_eq!(event["event"], "FINISH");
    let code = attribute(&page.html, "data-code").unwrap();
    let token = text(&sandbox.exchange(&code).await.json()["access_token"]);
    let path = format!("/{}/phone_numbers", text(&event["data"]["waba_id"]));
    let listed = sandbox.graph(Method::GET, &path, &token).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!(listed["data"][0]["id"], event["data"]["phone_number_id"]);
    sandbox.receiver.wait(1).await;
    assert!(page.csp.contains("script-src 'self'") && !page.csp.contains("unsafe"));
}

#[tokio::test]
async fn prefilled_data_shows_and_is_kept() {
    let sandbox = Running::start().await;
    let setup = json!({"setup": {
        "business": {"name": "Wind & Wool", "email": "a@wool.example", "website": "https://wool.example/",
            "phone": {"code": 1, "number": "6505559999"}, "timezone": "UTC-07:00",
            "address": {"streetAddress1": "1 Hill Road", "city": "Menlo Park", "country": "US"}},
        "phone": {"displayName": "Wool", "category": "APPAREL", "description": "Fine \"wool\""}}});
    let mut page = get_page(&sandbox, &popup(&setup)).await;
    for _ in 0..4 {
        page = next(&sandbox, &page).await;
    }
    let fields: HashMap<_, _> = page.fields().into_iter().collect();
    assert_eq!(fields["business_name"], "Wind & Wool");
    assert_eq!(fields["address"], "1 Hill Road, Menlo Park");
    assert_eq!(fields["business_phone"], "+1 6505559999");
    page = press(&sandbox, &page, "next", &[("business_name", "Wool & Wind")]).await.unwrap();
    let fields: HashMap<_, _> = page.fields().into_iter().collect();
    assert_eq!((fields["display_name"].as_str(), fields["category"].as_str()), ("Wool", "APPAREL"));
    assert_eq!(fields["description"], "Fine \"wool\"");
    while !page.html.contains("data-ending") {
        page = next(&sandbox, &page).await;
    }
    let state = sandbox.control(Method::GET, "state", json!({})).await;
    assert_eq!(state["businesses"][0]["name"], "Wool & Wind");
    assert_eq!(state["phones"][0]["verified_name"], "Wool");
}

#[tokio::test]
async fn each_screen_can_be_left() {
    let sandbox = Running::start().await;
    let steps = [
        None,
        None,
        Some("BUSINESS_ACCOUNT_SELECTION"),
        Some("WABA_PHONE_PROFILE_PICKER"),
        Some("WHATSAPP_BUSINESS_PROFILE_SETUP"),
        Some("PHONE_NUMBER_SETUP"),
        Some("PHONE_NUMBER_VERIFICATION"),
        Some("PERMISSIONS"),
        Some("PERMISSIONS"),
    ];
    for (screens, step) in steps.into_iter().enumerate() {
        let mut page = get_page(&sandbox, &popup(&json!({}))).await;
        for _ in 0..screens {
            page = next(&sandbox, &page).await;
        }
        let on_close = attribute(&page.html, "data-cancel-event").unwrap();
        let page = press(&sandbox, &page, "cancel", &[]).await.unwrap();
        assert_eq!(attribute(&page.html, "data-code").unwrap(), "");
        match step {
            None => assert!(page.event().is_null() && on_close.is_empty()),
            Some(step) => {
                assert_eq!(page.event()["data"]["current_step"], step);
                assert_eq!(serde_json::from_str::<Value>(&on_close).unwrap(), page.event());
            }
        }
    }
    assert_eq!(sandbox.control(Method::GET, "state", json!({})).await["wabas"], json!([]));
}

#[tokio::test]
async fn the_side_panel_and_armed_scenarios_decide() {
    let sandbox = Running::start().await;
    let page = get_page(&sandbox, &popup(&json!({}))).await;
    let chosen = [("scenario", "cancel:PHONE_NUMBER_SETUP")];
    let mut page = press(&sandbox, &page, "scenarios", &chosen).await.unwrap();
    assert!(page.html.contains("value=\"cancel:PHONE_NUMBER_SETUP\" checked"));
    while !page.html.contains("data-ending") {
        page = next(&sandbox, &page).await;
    }
    assert_eq!(page.event()["data"]["current_step"], "PHONE_NUMBER_SETUP");

    let armed = json!({"scenarios": ["close:PERMISSIONS"], "times": 1});
    sandbox.control(Method::POST, "scenario", armed).await;
    let mut page = get_page(&sandbox, &popup(&json!({}))).await;
    while !page.html.contains("data-ending") {
        page = next(&sandbox, &page).await;
    }
    let closing: Value = serde_json::from_str(&attribute(&page.html, "data-close-event").unwrap()).unwrap();
    assert_eq!(closing["data"]["current_step"], "PERMISSIONS");
    let again = get_page(&sandbox, &popup(&json!({}))).await;
    assert!(!again.html.contains(" checked"), "armed for one popup only");
}

#[tokio::test]
async fn errors_refusals_and_faults_within_the_dialog() {
    let sandbox = Running::start().await;
    let walk = async |scenario: &str| {
        sandbox.control(Method::POST, "scenario", json!({ "scenarios": [scenario] })).await;
        let mut page = get_page(&sandbox, &popup(&json!({}))).await;
        let mut seen = String::new();
        while page.status == 200 && !page.html.contains("data-ending") && !page.html.contains(">Close</button>") {
            seen.push_str(&page.html);
            page = next(&sandbox, &page).await;
        }
        (page, seen)
    };
    let (page, seen) = walk("error_reported").await;
    assert!(seen.contains("Your verified name violates WhatsApp guidelines"));
    assert!(page.event()["data"]["error_id"].is_string());
    assert_eq!(walk("error_event").await.0.event()["event"], "ERROR");
    let (page, _) = walk("cant_onboard").await;
    assert!(
        page.html.contains("can&#39;t onboard customers right now")
            || page.html.contains("can't onboard customers right now")
    );
    let closed = press(&sandbox, &page, "cancel", &[]).await.unwrap();
    assert!(closed.event().is_null());
    let (page, _) = walk("invalid_scopes").await;
    assert_eq!((page.status.as_u16(), title(&page).await.as_str()), (400, "Invalid Scopes"));
    let (page, _) = walk("code_expired").await;
    assert_eq!(attribute(&page.html, "data-delay").unwrap(), "31000");
    let (page, _) = walk("event_lost").await;
    assert!(page.event().is_null() && !attribute(&page.html, "data-code").unwrap().is_empty());
    let (page, _) = walk("code_lost").await;
    assert!(!page.event().is_null() && attribute(&page.html, "data-code").unwrap().is_empty());
    walk("graph_500").await;
    let faults = sandbox.control(Method::GET, "state", json!({})).await["faults"].clone();
    assert_eq!(faults, json!([{"fault": "graph_500", "times": 2, "path": null}]));
}

#[tokio::test]
async fn numbers_can_be_wrong_unverified_or_left_for_later() {
    let sandbox = Running::start().await;
    let to_number = async || {
        let mut page = get_page(&sandbox, &popup(&json!({}))).await;
        for _ in 0..5 {
            page = next(&sandbox, &page).await;
        }
        page
    };
    let page = to_number().await;
    let wrong = press(&sandbox, &page, "next", &[("number", "12")]).await.unwrap();
    assert!(wrong.html.contains("role=\"alert\""));
    let page = next(&sandbox, &press(&sandbox, &page, "next", &[("number", "+48 601 000 111")]).await.unwrap()).await;
    let mut page = page;
    while !page.html.contains("data-ending") {
        page = next(&sandbox, &page).await;
    }
    let taken = press(&sandbox, &to_number().await, "next", &[("number", "48601000111")]).await.unwrap();
    assert!(taken.html.contains("already exists"));

    let verify = next(&sandbox, &to_number().await).await;
    let wrong = press(&sandbox, &verify, "next", &[("code", "999-999")]).await.unwrap();
    assert!(wrong.html.contains("not the code"));
    let mut page = press(&sandbox, &wrong, "skip", &[]).await.unwrap();
    while !page.html.contains("data-ending") {
        page = next(&sandbox, &page).await;
    }
    let id = text(&page.event()["data"]["phone_number_id"]);
    let state = sandbox.control(Method::GET, "state", json!({})).await;
    let phone = state["phones"].as_array().unwrap().iter().find(|phone| phone["id"] == id).unwrap();
    assert_eq!(phone["verified"], false);

    let mut page = press(&sandbox, &to_number().await, "skip", &[]).await.unwrap();
    while !page.html.contains("data-ending") {
        page = next(&sandbox, &page).await;
    }
    assert_eq!(page.event()["event"], "FINISH_ONLY_WABA");
}

#[tokio::test]
async fn existing_portfolios_and_accounts_are_offered() {
    let sandbox = Running::start().await;
    let before = sandbox.signup(&[]).await;
    let mut page = get_page(&sandbox, &popup(&json!({"setup": {"business": {"id": before["business_id"]}}}))).await;
    for _ in 0..2 {
        page = next(&sandbox, &page).await;
    }
    let business = text(&before["business_id"]);
    assert!(page.html.contains(&format!("value=\"{business}\" checked")), "preselected by extras.setup");
    let page = next(&sandbox, &page).await;
    let waba = text(&before["waba_ids"][0]);
    let mut page = press(&sandbox, &page, "next", &[("choice", &waba)]).await.unwrap();
    while !page.html.contains("data-ending") {
        page = next(&sandbox, &page).await;
    }
    assert_eq!(page.event()["data"]["waba_id"], waba);
    assert_eq!(sandbox.control(Method::GET, "state", json!({})).await["wabas"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_screen_that_was_left_already_changes_nothing() {
    let sandbox = Running::start().await;
    let first = get_page(&sandbox, &popup(&json!({}))).await;
    let second = next(&sandbox, &first).await;
    let again = next(&sandbox, &first).await;
    assert_eq!(title(&second).await, title(&again).await, "a double click goes on by one screen");
    assert_eq!(get_page(&sandbox, "/dialog/flow/nobody").await.status, 404);
}

#[tokio::test]
async fn openers_and_settings_are_checked() {
    let sandbox = Running::start().await;
    let good = popup(&json!({}));
    for (path, expected) in [
        (good.replace("localhost%3A8080", "evil.example"), "JSSDK Unknown Host domain"),
        (good.replace(APP_ID, "1"), "Invalid App ID"),
        (good.replace(CONFIG, "1"), "Invalid configuration"),
        (good.replace("response_type=code", "response_type=token"), "Unsupported response type"),
    ] {
        let page = get_page(&sandbox, &path).await;
        assert_eq!((page.status.as_u16(), title(&page).await.as_str()), (400, expected));
    }
    sandbox.control(Method::POST, "app", json!({"js_sdk_login": false})).await;
    assert_eq!(title(&get_page(&sandbox, &good).await).await, "JSSDK Option is not toggled");
}

fn full_page(scope: &str, redirect: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("client_id", APP_ID).append_pair("redirect_uri", redirect).append_pair("scope", scope);
    query.append_pair("response_type", "code").append_pair("state", "s&1");
    format!("/v25.0/dialog/oauth?{}", query.finish())
}

const SCOPES: &str = "whatsapp_business_management,whatsapp_business_messaging";

#[tokio::test]
async fn plain_oauth_ends_with_a_redirect() {
    let sandbox = Running::start().await;
    let mut page = get_page(&sandbox, &full_page(SCOPES, REDIRECT)).await;
    assert!(page.csp.contains("form-action 'self' http://localhost:8080"), "{}", page.csp);
    let mut shown = String::new();
    let target = loop {
        shown.push_str(&page.html);
        match press(&sandbox, &page, "next", &[]).await {
            Ok(next) => page = next,
            Err(target) => break target,
        }
    };
    let target: url::Url = target.parse().unwrap();
    assert!(target.as_str().starts_with(REDIRECT));
    let query: HashMap<_, _> = target.query_pairs().into_owned().collect();
    assert_eq!(query["state"], "s&1");
    let form = [
        ("client_id", APP_ID),
        ("client_secret", SECRET),
        ("code", query["code"].as_str()),
        ("redirect_uri", REDIRECT),
    ];
    let call = sandbox.request(Method::POST, "/v25.0/oauth/access_token").form(&form);
    let token = text(&sandbox.send(call).await.json()["access_token"]);
    let state = sandbox.control(Method::GET, "state", json!({})).await;
    let waba = text(&state["wabas"][0]["id"]);
    assert!(shown.contains(&waba), "the person can read the ID they will be asked for");
    let data = sandbox.inspect(&token).await;
    assert_eq!(data["type"], "USER");
    assert!(!data.to_string().contains(&waba), "the picked account is not in the token");
    let path = format!("/{waba}/phone_numbers");
    assert_eq!(sandbox.graph(Method::GET, &path, &token).await.json()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn plain_oauth_refuses_and_can_be_refused() {
    let sandbox = Running::start().await;
    for (path, expected) in [
        (full_page(SCOPES, "http://localhost:8080/other"), "URL Blocked"),
        (full_page(SCOPES, &format!("{REDIRECT}/")), "URL Blocked"),
        (full_page("whatsapp_business_management,business_management", REDIRECT), "Invalid Scopes"),
        (full_page("nonsense", REDIRECT), "Invalid Scopes"),
    ] {
        assert_eq!(title(&get_page(&sandbox, &path).await).await, expected);
    }
    let page = get_page(&sandbox, &full_page(SCOPES, REDIRECT)).await;
    let target: url::Url = press(&sandbox, &page, "cancel", &[]).await.err().unwrap().parse().unwrap();
    let query: HashMap<_, _> = target.query_pairs().into_owned().collect();
    assert_eq!((query["error"].as_str(), query["error_reason"].as_str()), ("access_denied", "user_denied"));
    assert_eq!(query["state"], "s&1");
    assert!(query.contains_key("error_description") && !query.contains_key("code"));
}
