//! `doorway user create`.

use super::*;

on_both_engines!(people_are_created_and_can_sign_in, what_will_not_do_is_refused);

async fn people_are_created_and_can_sign_in(db: Database) {
    let mut process = Process::new(db).await;
    // On a database that is not there yet: it migrates by itself.
    let new = ["user", "create", "Maria@Example.org", "--role", "customer", "--company", "Harbour Bakery"];
    let created = process.run(&new, "correct horse battery\r\n").await;
    assert_eq!(created.status.code(), Some(0), "{}", created.stderr);
    assert_eq!(created.stdout, "maria@example.org can sign in now.\n");
    let admin = process.run(&["user", "create", "a@example.org", "--role", "admin"], "correct horse battery").await;
    assert!(admin.status.success());
    let second = ["user", "create", "b@example.org", "--role", "customer", "--company", "Harbour Bakery"];
    assert!(process.run(&second, "correct horse battery\n").await.status.success());
    process.launch().await;
    for (email, home) in [("maria@example.org", "/connections"), ("a@example.org", "/support")] {
        let browser = Browser::new(&process.url);
        assert_eq!(browser.sign_in(email, "correct horse battery").await.location(), home);
    }
    let store = process.db.store().await;
    let sql = "SELECT count(*) AS n FROM customers";
    let companies = doorway::store::query(sql).one(&mut store.read().await.unwrap(), |row| row.int("n")).await;
    assert_eq!(companies.unwrap(), 1, "the second member joins the company that is there");
    store.close().await;
}

async fn what_will_not_do_is_refused(db: Database) {
    let process = Process::new(db).await;
    let customer = ["--role", "customer", "--company", "Harbour Bakery"];
    let create = |email: &'static str, more: &'static [&'static str], password: &'static str| {
        let process = &process;
        async move { process.run(&[&["user", "create", email], more].concat(), password).await }
    };
    let first = process.run(&[&["user", "create", "a@example.org"], &customer[..]].concat(), PASSWORD).await;
    assert!(first.status.success());
    const CUSTOMER: &[&str] = &["--role", "customer", "--company", "Harbour Bakery"];
    for (email, more, password, says) in [
        ("A@example.org", CUSTOMER, PASSWORD, "somebody with this e-mail address is here already"),
        ("b@example.org", CUSTOMER, "elevenchars", "at least 12 characters"),
        ("b@example.org", CUSTOMER, "", "at least 12 characters"),
        ("b@example.org", &["--role", "customer"], PASSWORD, "a customer's member needs a company"),
        ("b@example.org", &["--role", "admin", "--company", "X"], PASSWORD, "staff have none"),
        ("b@example.org", &["--role", "owner"], PASSWORD, "a role is admin, support or customer"),
        ("no address", CUSTOMER, PASSWORD, "This is not an e-mail address."),
    ] {
        let refused = create(email, more, password).await;
        assert!(!refused.status.success(), "{email} {more:?}");
        assert!(refused.stderr.contains(says), "{says}: {}", refused.stderr);
        assert!(password.is_empty() || !refused.stderr.contains(password), "{}", refused.stderr);
        assert_eq!(refused.stdout, "");
    }
}
