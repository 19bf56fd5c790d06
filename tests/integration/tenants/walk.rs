//! Every route of the router's own table, as nobody, as the owner, as another customer with the owner's IDs,
//! as support and as admin. A new route is walked by itself; where it has a parameter that [`sample`] does
//! not know, the walk fails and says so.

use super::*;
use doorway::{
    accounts::Role,
    web::{Access, Route},
};
use http::{Method, StatusCode, header};

on_both_engines!(
    everybody_is_let_in_where_they_belong_and_nowhere_else,
    nothing_is_done_without_the_forms_token,
    nobody_changes_anothers_things,
    an_empty_form_is_no_fault_of_ours,
);

/// The routes that are open to everybody, and why. Opening one is a conscious act: it is written down here.
const OPEN: &[(&str, &str)] = &[
    ("GET /", "the front page"),
    ("GET /signin", "whoever signs in is not signed in yet"),
    ("POST /signin", "the sign-in form itself"),
    ("GET /signin/code", "the second step of signing in; without the first it leads back to it"),
    ("POST /signin/code", "the second step of signing in"),
    ("GET /setup", "the first admin is nobody yet; once there is one it is not there"),
    ("POST /setup", "it asks for the one-time code of the log"),
    ("POST /signout", "ends the session that sends it, if there is one"),
    ("GET /auth/whatsapp/callback", "Facebook leads back here also after the session has ended; it checks the person"),
    ("GET /forgot", "whoever forgot their password can't sign in"),
    ("POST /forgot", "it mails a link, and answers the same to everybody"),
    ("GET /forgot/sent", "says what to do next, whoever asked"),
    ("GET /invite/{secret}", "the invited have no account yet; the secret says who they are"),
    ("POST /invite/{secret}", "the invited make their account with it"),
    ("GET /reset/{secret}", "as /forgot; the secret says who it is"),
    ("POST /reset/{secret}", "sets the new password of whom the secret belongs to"),
];

/// The routes that machines call, which prove who they are in their own way.
const MACHINES: &[(&str, &str)] = &[
    ("GET /healthz", "says that the process lives, and nothing else"),
    ("GET /healthz/self", "seals a word for a challenge: the check knows its own portal by it"),
    ("GET /readyz", "says whether the database answers, and nothing else"),
    ("GET /webhooks/whatsapp", "Meta's handshake: the verify token"),
    ("POST /receive/{endpoint}", "the built-in receiver: the signature with the endpoint's secret"),
    ("POST /webhooks/whatsapp", "Meta's webhooks: the signature"),
];

/// The pages that refuse some of those whom the table lets in, and why.
const PARTICULAR: &[(&str, &str)] = &[
    ("GET /connect", "staff see it only while nothing is set up"),
    ("GET /auth/whatsapp/callback", "it checks what Facebook says, and the walk says nothing"),
];

/// What changes by itself: sessions, counters, the log of what was refused, marks on their way to their places.
const RESTLESS: &[&str] = &[
    "_sqlx_migrations",
    "sessions",
    "jobs",
    "leases",
    "audit_log",
    "origins",
    "guesses",
    "users.seen_at",
    "event_marks",
    "young_marks",
];

/// IDs of what belongs to customer A: what the parameters of the paths stand for.
struct Samples {
    customer: String,
    user: String,
    connection: String,
    attempt: String,
    waba: String,
    invite: String,
    session: String,
    event: String,
    endpoint: String,
    number: String,
}

impl Samples {
    /// What a parameter of this path stands for; add a line where a new route has a new kind of parameter.
    fn sample(&self, path: &str, parameter: &str) -> Option<&str> {
        let is_below = |start: &str| path.starts_with(start);
        Some(match parameter {
            "waba" | "waba_id" => &self.waba,
            "customer" | "customer_id" => &self.customer,
            "endpoint" => &self.endpoint,
            "number" => &self.number,
            "user" | "user_id" | "person" => &self.user,
            "id" if is_below("/connections/") => &self.connection,
            "id" if is_below("/connect/attempts/") => &self.attempt,
            "id" if is_below("/support/customers/") || is_below("/backoffice/customers/") => &self.customer,
            "id" if is_below("/backoffice/people/") || is_below("/people/") => &self.user,
            "id" if is_below("/invites/") => &self.invite,
            "id" if is_below("/settings/sessions/") => &self.session,
            "id" if is_below("/events/") => &self.event,
            // The secret of a link that nobody was sent.
            "secret" | "token" => "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            _ => return None,
        })
    }

    /// Whether an address names something of customer A's.
    fn is_named_in(&self, address: &str) -> bool {
        let own = [&self.customer, &self.user, &self.connection, &self.attempt, &self.waba];
        let ids = own.into_iter().chain([&self.invite, &self.session, &self.endpoint, &self.event, &self.number]);
        ids.into_iter().any(|id| address.contains(id.as_str()))
    }

    /// The path with its parameters filled in.
    fn fill(&self, path: &str) -> String {
        path.split('/')
            .map(|segment| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                None => segment,
                Some(parameter) => self.sample(path, parameter).unwrap_or_else(|| {
                    panic!(
                        "no sample for {{{parameter}}} of {path}: add one to `Samples::sample` in \
                         tests/integration/tenants/walk.rs, so that the route is walked"
                    )
                }),
            })
            .collect::<Vec<_>>()
            .join("/")
    }
}

/// Who calls, with the kinds of routes that are theirs.
struct Caller {
    who: &'static str,
    email: String,
    browser: Browser,
    allowed: &'static [Access],
}

impl Caller {
    fn may(&self, route: &Route) -> bool {
        self.allowed.contains(&route.access)
    }
}

struct Stage {
    world: World,
    samples: Samples,
    nobody: Browser,
    owner: Caller,
    /// A member of customer B.
    other: Caller,
    support: Caller,
    admin: Caller,
}

const MEMBERS: &[Access] = &[Access::Anyone, Access::SignedIn, Access::Member];
const SUPPORT: &[Access] = &[Access::Anyone, Access::SignedIn, Access::Staff];
const ADMINS: &[Access] = &[Access::Anyone, Access::SignedIn, Access::Staff, Access::Admin];

impl Stage {
    async fn new(db: Database) -> Self {
        let world = World::start(db).await;
        let owner = caller(&world, "the owner", Role::Customer, "Harbour Bakery", MEMBERS).await;
        let (connection, signup) = world.connect(&owner.browser, &[]).await;
        let attempt = owner.browser.begin().await;
        let several = world.meta.signup(&["several_wabas"]).await;
        attempt.bring_all(&several).await;
        attempt.ends("choose", "choosing").await;
        // Meta's webhooks about both come a moment later: what comes after the first look would be taken for a change.
        let told = [&signup, &several].map(|one| one["waba_ids"].as_array().unwrap().len()).iter().sum::<usize>();
        eventually("Meta's webhooks about what was shared", || async {
            let read = "SELECT value AS n FROM counters WHERE name = 'routed'";
            (world.number(read, "n").await == Some(told as i64)).then_some(())
        })
        .await;
        let event = event(&world, &id(&signup, "waba_ids", 0)).await;
        let samples = Samples {
            event,
            customer: world.column("SELECT id FROM customers", "id").await.unwrap(),
            user: world.column("SELECT id FROM users", "id").await.unwrap(),
            connection: connection.rsplit('/').next().unwrap().to_owned(),
            attempt: attempt.id,
            waba: id(&signup, "waba_ids", 0),
            number: id(&signup, "phone_number_ids", 0),
            invite: invite(&world).await,
            endpoint: endpoint(&world, &owner.browser).await,
            session: world.column("SELECT min(id) AS id FROM sessions WHERE user_id IS NOT NULL", "id").await.unwrap(),
        };
        let other = caller(&world, "another customer", Role::Customer, "Corner Shop", MEMBERS).await;
        let support = caller(&world, "support", Role::Support, "", SUPPORT).await;
        let admin = caller(&world, "an admin", Role::Admin, "", ADMINS).await;
        let nobody = world.anonymous();
        // A token of its own, so that what is refused is not refused for want of one.
        nobody.get("/signin").await;
        Self { world, samples, nobody, owner, other, support, admin }
    }

    fn callers(&self) -> [&Caller; 4] {
        [&self.owner, &self.other, &self.support, &self.admin]
    }

    fn routes(&self, method: &Method) -> Vec<Route> {
        let all = &self.world.portal.routes;
        assert!(all.len() > 30, "the table has lost its routes");
        all.iter().filter(|route| route.method == *method).cloned().collect()
    }

    async fn dump(&self) -> Vec<String> {
        dump(&self.world.portal.store, RESTLESS).await
    }
}

/// An event of customer A's.
async fn event(world: &World, waba: &str) -> String {
    let value = json!({"event": "ACCOUNT_UPDATE"});
    let body = json!({"entry": [{"id": waba, "changes": [{"field": "account_update", "value": value}]}]});
    world.portal.webhooks.keep(body.to_string()).await.unwrap();
    eventually("an event of the owner's", || async {
        let last = "SELECT CAST(max(e.id) AS TEXT) AS id FROM events e JOIN event_routes r ON r.id = e.route_id \
                    WHERE r.customer_id IS NOT NULL AND e.detail = 'ACCOUNT_UPDATE'";
        world.column(last, "id").await
    })
    .await
}

/// An endpoint of customer A's, made by its owner: one with the built-in receiver has the most pages.
async fn endpoint(world: &World, owner: &Browser) -> String {
    owner.get("/settings/endpoints/new").await;
    let made =
        owner.post("/settings/endpoints/new", &[("name", "Shop"), ("to", "receiver"), ("format", "events")]).await;
    assert_eq!(made.status, 303, "{}", made.words());
    world.column("SELECT id FROM endpoints", "id").await.unwrap()
}

/// An open invite of customer A's, made by its owner.
async fn invite(world: &World) -> String {
    let id = doorway::base::ids::new_uuid().to_string();
    let mut tx = world.portal.store.write().await.unwrap();
    doorway::store::query(
        "INSERT INTO invites (id, kind, token_hash, email, name, role, customer_id, created_by, created_at, expires_at) \
         SELECT $1, 'invite', 'the hash of a link', 'colleague@bakery.example', 'A colleague', 'customer', customer_id, \
         id, $2, $3 FROM users",
    )
    .bind(&id)
    .bind(world.clock.now())
    .bind(world.clock.now() + time::Duration::hours(72))
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    id
}

async fn caller(world: &World, who: &'static str, role: Role, company: &str, allowed: &'static [Access]) -> Caller {
    let email = create(&world.portal.accounts, role, company).await;
    let browser = world.signed_in(&email).await;
    Caller { who, email, browser, allowed }
}

/// Status, where it leads to, what kind of answer it is. The body is not read: a stream has no end.
struct Answer {
    status: StatusCode,
    location: String,
    is_json: bool,
}

async fn ask(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let text = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    Answer {
        status: response.status(),
        location: text(header::LOCATION),
        is_json: text(header::CONTENT_TYPE).starts_with("application/json"),
    }
}

async fn get(browser: &Browser, path: &str) -> Answer {
    ask(browser.request(Method::GET, path).header("sec-fetch-site", "same-origin")).await
}

/// What a script sends that would do something: the fields of all the routes that take JSON.
fn script_body() -> serde_json::Value {
    json!({"code": "AQx", "type": "WA_EMBEDDED_SIGNUP", "event": "CANCEL", "data": {"current_step": "PERMISSIONS"}})
}

/// Posts a form with nothing in it; what takes JSON gets [`script_body`].
async fn post(browser: &Browser, path: &str, token: &str) -> Answer {
    let request = || browser.own(browser.request(Method::POST, path)).header("x-csrf-token", token);
    let answer = ask(request().form(&[("csrf", token)])).await;
    if answer.status != StatusCode::UNSUPPORTED_MEDIA_TYPE {
        return answer;
    }
    ask(request().json(&script_body())).await
}

fn sends_to_sign_in(answer: &Answer) -> bool {
    (answer.status == StatusCode::SEE_OTHER && answer.location.starts_with("/signin?next="))
        || (answer.status == StatusCode::UNAUTHORIZED && answer.is_json)
}

/// What somebody is told whose route this is not.
fn is_refused(route: &Route, answer: &Answer) -> bool {
    let expected = if route.access == Access::Member { StatusCode::FORBIDDEN } else { StatusCode::NOT_FOUND };
    answer.status == expected
}

fn named(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

async fn everybody_is_let_in_where_they_belong_and_nowhere_else(db: Database) {
    let stage = Stage::new(db).await;
    let listed = |access: Access| {
        let mut names: Vec<String> =
            stage.world.portal.routes.iter().filter(|route| route.access == access).map(named).collect();
        names.sort();
        names
    };
    for (access, list) in [(Access::Anyone, OPEN), (Access::Machine, MACHINES)] {
        let mut expected: Vec<&str> = list.iter().map(|(name, _)| *name).collect();
        expected.sort_unstable();
        assert_eq!(listed(access), expected, "{access:?}: the list in this test says which and why");
        assert!(list.iter().all(|(_, why)| why.len() > 10), "each says why");
    }
    for (name, _) in MACHINES {
        let (method, path) = name.split_once(' ').unwrap();
        let request = stage.nobody.request(method.parse().unwrap(), path);
        let status = ask(request.body("")).await.status;
        let expected = if path.ends_with("z") { status.is_success() } else { status.is_client_error() };
        assert!(expected, "{name} without proof: {status}");
    }
    for route in stage.routes(&Method::GET).iter().filter(|route| route.access != Access::Machine) {
        let (path, name) = (stage.samples.fill(route.path), named(route));
        let answer = get(&stage.nobody, &path).await;
        match route.access {
            Access::Anyone => assert!(!answer.status.is_server_error(), "{name}: {}", answer.status),
            _ => assert!(sends_to_sign_in(&answer), "{name} as nobody: {} {}", answer.status, answer.location),
        }
        for caller in stage.callers() {
            let answer = get(&caller.browser, &path).await;
            let told = format!("{name} as {}: {} {}", caller.who, answer.status, answer.location);
            if !caller.may(route) {
                assert!(is_refused(route, &answer), "{told}");
                continue;
            }
            assert!(!answer.status.is_server_error() && !sends_to_sign_in(&answer), "{told}");
            let is_anothers =
                route.path.contains('{') && caller.who == stage.other.who && route.access != Access::Anyone;
            match answer.status {
                // An address that only takes a form leads back to its page, and there is none for them.
                // Where it leads to what is the caller's own, there is nothing of the other's in the address.
                StatusCode::SEE_OTHER if is_anothers && stage.samples.is_named_in(&answer.location) => {
                    let page = get(&caller.browser, &answer.location).await;
                    assert_eq!(page.status, StatusCode::NOT_FOUND, "{told} leads on");
                }
                StatusCode::SEE_OTHER if is_anothers => {}
                status if is_anothers => assert_eq!(status, StatusCode::NOT_FOUND, "{told}"),
                StatusCode::OK | StatusCode::SEE_OTHER | StatusCode::NOT_FOUND => {}
                status => assert!(status.is_client_error() && PARTICULAR.iter().any(|(of, _)| *of == name), "{told}"),
            }
        }
    }
}

async fn nothing_is_done_without_the_forms_token(db: Database) {
    let stage = Stage::new(db).await;
    let before = stage.dump().await;
    for route in stage.routes(&Method::POST).iter().filter(|route| route.access != Access::Machine) {
        let path = stage.samples.fill(route.path);
        for caller in stage.callers().into_iter().filter(|caller| caller.may(route)) {
            if caller.who == stage.other.who && route.path.contains('{') {
                continue;
            }
            for token in ["", "not-the-token"] {
                let answer = post(&caller.browser, &path, token).await;
                // Over before a token counts: a second click on the first form is told so.
                let expected = if route.path == "/setup" { StatusCode::CONFLICT } else { StatusCode::FORBIDDEN };
                assert_eq!(answer.status, expected, "{} as {}", named(route), caller.who);
            }
        }
        // From another site's page, even with the token.
        let foreign = stage.owner.browser.request(Method::POST, &path).header("origin", "https://evil.example");
        let csrf = stage.owner.browser.csrf();
        let answer = ask(foreign.header("sec-fetch-site", "cross-site").form(&[("csrf", &csrf)])).await;
        assert!(answer.status.is_client_error(), "{} from elsewhere: {}", named(route), answer.status);
    }
    assert_eq!(stage.dump().await, before);
    assert!(stage.owner.browser.is_signed_in().await);
}

async fn nobody_changes_anothers_things(db: Database) {
    let stage = Stage::new(db).await;
    let before = stage.dump().await;
    let mut tried = 0;
    for route in stage.routes(&Method::POST).iter().filter(|route| route.access != Access::Machine) {
        let (path, name) = (stage.samples.fill(route.path), named(route));
        if route.access != Access::Anyone {
            let answer = post(&stage.nobody, &path, &stage.nobody.csrf()).await;
            assert!(sends_to_sign_in(&answer), "{name} as nobody: {}", answer.status);
        }
        for caller in stage.callers() {
            let told = |answer: &Answer| format!("{name} as {}: {} {}", caller.who, answer.status, answer.location);
            let is_anothers =
                route.path.contains('{') && caller.who == stage.other.who && route.access != Access::Anyone;
            if caller.may(route) && !is_anothers {
                continue;
            }
            let answer = post(&caller.browser, &path, &caller.browser.csrf()).await;
            if caller.may(route) {
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", told(&answer));
            } else {
                assert!(is_refused(route, &answer), "{}", told(&answer));
            }
            tried += 1;
            assert_eq!(stage.dump().await, before, "{}", told(&answer));
        }
    }
    assert!(tried > 20, "the walk tried only {tried}");
}

/// What ends something stands last, so that what is walked before is still there.
fn is_last(route: &Route) -> bool {
    ["disconnect", "delete", "remove", "release", "suspend", "end", "signout", "revoke"]
        .iter()
        .any(|word| route.path.rsplit('/').next().unwrap().contains(word))
}

async fn an_empty_form_is_no_fault_of_ours(db: Database) {
    let stage = Stage::new(db).await;
    let mut routes = stage.routes(&Method::POST);
    routes.retain(|route| route.access != Access::Machine);
    routes.sort_by_key(is_last);
    for route in &routes {
        let path = stage.samples.fill(route.path);
        for caller in [&stage.owner, &stage.support, &stage.admin].into_iter().filter(|caller| caller.may(route)) {
            let answer = caller.browser.post(&path, &[]).await;
            let answer = match answer.status {
                StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                    caller.browser.send(caller.browser.script(&path, &json!({}))).await
                }
                StatusCode::FORBIDDEN => {
                    // Scripts show the token in a header.
                    let token = caller.browser.csrf();
                    let own = caller.browser.own(caller.browser.request(Method::POST, &path));
                    let request = own.header("x-csrf-token", token);
                    let form = request.try_clone().unwrap().body("");
                    let answer = caller.browser.send(form).await;
                    let wants_json = answer.status == StatusCode::UNSUPPORTED_MEDIA_TYPE;
                    if wants_json { caller.browser.send(request.json(&json!({}))).await } else { answer }
                }
                _ => answer,
            };
            let told = format!("{} as {}: {} {}", named(route), caller.who, answer.status, answer.words());
            assert!(!answer.status.is_server_error(), "{told}");
            assert_ne!(answer.status, StatusCode::FORBIDDEN, "{told}");
            if !caller.browser.is_signed_in().await {
                let again = caller.browser.sign_in(&caller.email, PASSWORD).await;
                assert!(again.status.is_redirection() || is_last(route), "{told}: nobody gets in any more");
            }
        }
    }
}
