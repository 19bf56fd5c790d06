//! What the audit log's actions mean, in plain words.

/// What somebody did, to be read after their name; `None` for an action that has no words here, which is shown
/// as it is.
#[must_use]
pub fn words(action: &str) -> Option<&'static str> {
    WORDS.iter().find(|(known, _)| *known == action).map(|(_, words)| *words)
}

/// The kinds of subjects, by the part of the action before the dot.
#[must_use]
pub fn subject_kind(action: &str) -> &'static str {
    match action.split('.').next().unwrap_or_default() {
        "user" => "Person",
        "customer" => "Customer",
        "connection" => "Connection",
        "attempt" => "Attempt",
        "waba" => "WhatsApp account",
        "invite" => "Invite",
        "endpoint" => "Endpoint",
        "profile" => "Number",
        "template" => "Message template",
        "number" => "Phone number",
        _ => "Subject",
    }
}

const WORDS: &[(&str, &str)] = &[
    ("attempt.accounts_chosen", "chose which WhatsApp accounts to connect"),
    ("attempt.begun", "began to connect WhatsApp"),
    ("attempt.resumed", "let an attempt to connect go on"),
    ("attempt.waba_id_typed", "entered a WhatsApp Business account’s ID"),
    ("connection.added_by_hand", "connected WhatsApp through the customer’s own Meta app"),
    ("connection.app_changed", "changed the App ID or secret of a customer’s own Meta app"),
    ("connection.created", "connected WhatsApp"),
    ("connection.disconnected", "disconnected WhatsApp"),
    ("connection.ended", "found that a connection’s access has ended"),
    ("connection.left_unconfirmed", "ended a connection that Meta did not confirm the end of"),
    ("connection.link_made", "made a link to connect again"),
    ("connection.link_revoked", "took back a link to connect again"),
    ("connection.link_used", "connected again by a link"),
    ("connection.permissions_checked", "had a connection’s permissions checked"),
    ("connection.renamed", "gave a connection another name"),
    ("connection.renewed", "connected WhatsApp again"),
    ("connection.token_replaced", "replaced the token of a connection by hand"),
    ("connection.restored", "found that a connection’s access works again"),
    ("connection.token_renewed", "renewed a connection’s token"),
    ("customer.created", "created a customer"),
    ("customer.deleted", "deleted a customer’s data"),
    ("customer.deletion_begun", "began to delete a customer"),
    ("customer.details_changed", "changed what is known of a customer’s business"),
    ("customer.exported", "downloaded what is stored about a customer"),
    ("customer.renamed", "gave a customer another name"),
    ("customer.suspended", "suspended a customer"),
    ("customer.unsuspended", "let a suspended customer in again"),
    ("endpoint.changed", "changed an endpoint"),
    ("endpoint.created", "made an endpoint"),
    ("endpoint.deleted", "removed an endpoint"),
    ("endpoint.disabled", "disabled an endpoint that answered that it is gone"),
    ("endpoint.failing", "paused an endpoint that had failed for days"),
    ("endpoint.old_secret_ended", "ended an endpoint’s old secret"),
    ("endpoint.paused", "paused an endpoint"),
    ("endpoint.receiver_emptied", "emptied the list of what an endpoint’s receiver got"),
    ("endpoint.receiver_switched", "chose what an endpoint’s receiver answers"),
    ("endpoint.replayed", "sent events to an endpoint again"),
    ("endpoint.resumed", "resumed an endpoint"),
    ("endpoint.secret_rotated", "gave an endpoint a new secret"),
    ("endpoint.secret_shown", "looked at an endpoint’s secret"),
    ("endpoint.tested", "sent an endpoint a test event"),
    ("go_live.ticked", "ticked a point of the go-live list"),
    ("go_live.unticked", "took back a tick on the go-live list"),
    ("invite.created", "invited somebody"),
    ("invite.mail_failed", "could not mail a link"),
    ("invite.revoked", "took back an invite"),
    ("invite.sent_again", "sent an invite again"),
    ("invite.used", "accepted an invite"),
    ("meta.check_run", "ran the configuration check"),
    ("meta.old_secret_stopped", "stopped accepting the old app secret"),
    ("meta.settings_changed", "changed the Meta settings"),
    ("meta.webhooks_registered", "registered the webhooks at Meta"),
    ("profile.changed", "changed how a number shows itself in WhatsApp"),
    ("template.created", "made a message template"),
    ("template.deleted", "deleted a message template"),
    ("template.edited", "changed a message template"),
    ("number.added", "added a phone number"),
    ("number.code_sent", "had Meta send a code to a number"),
    ("number.deregister_asked", "asked to deregister a number"),
    ("number.deregistered", "deregistered a number at Meta"),
    ("number.name_asked", "asked for another display name"),
    ("number.pin_change_asked", "began to set a number’s PIN"),
    ("number.pin_changed", "set a number’s PIN at Meta"),
    ("number.pin_shown", "looked at a number’s PIN"),
    ("number.register_asked", "asked to register a number"),
    ("number.registered", "registered a number at Meta"),
    ("number.task_failed", "could not register or deregister a number"),
    ("number.task_given_up", "stopped waiting for a number to be registered"),
    ("number.verified", "confirmed a number by code"),
    ("user.created", "created a person"),
    ("user.other_sessions_ended", "signed out on all other devices"),
    ("user.password_changed", "changed their password"),
    ("user.password_reset", "set a new password with a link"),
    ("user.recovery_code_used", "signed in with a recovery code"),
    ("user.recovery_codes_renewed", "made new recovery codes"),
    ("user.removed", "removed a person"),
    ("user.renamed", "changed their name"),
    ("user.reset_link_made", "made a link for somebody’s new password"),
    ("user.reset_mailed", "asked for a link for a new password"),
    ("user.role_changed", "changed somebody’s role"),
    ("user.session_ended", "signed out on one device"),
    ("user.sessions_ended", "signed somebody out everywhere"),
    ("user.sign_in_failed", "tried to sign in and failed"),
    ("user.signed_in", "signed in"),
    ("user.signed_out_everywhere", "signed out everywhere"),
    ("user.two_step_disabled", "turned off two-step sign-in"),
    ("user.two_step_enabled", "turned on two-step sign-in"),
    ("user.two_step_reset", "turned off somebody’s two-step sign-in"),
    ("waba.released", "released a WhatsApp account for other customers"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, into);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                into.push(path);
            }
        }
    }

    /// What looks like an action in the code: `"noun.verb"` of one of the log's nouns.
    fn actions(line: &str) -> Vec<&str> {
        let nouns: Vec<&str> = WORDS.iter().filter_map(|(action, _)| action.split('.').next()).collect();
        let quoted = line.split('"').skip(1).step_by(2);
        let is_word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        quoted
            .filter(|text| text.split_once('.').is_some_and(|(noun, verb)| nouns.contains(&noun) && is_word(verb)))
            .collect()
    }

    #[test]
    fn every_action_has_its_words() {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        let (mut seen, mut missing) = (0, Vec::new());
        // Kinds of webhook events look like actions.
        let other = ["accounts/audit_words.rs", "webhooks/kind.rs"];
        for file in files.iter().filter(|file| !other.iter().any(|other| file.ends_with(other))) {
            let text = std::fs::read_to_string(file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for line in code.lines().filter(|line| !line.contains("_JOB") && !line.trim_start().starts_with("//")) {
                for action in actions(line) {
                    seen += 1;
                    if words(action).is_none() {
                        missing.push(action.to_owned());
                    }
                }
            }
        }
        assert!(seen >= 14, "the test saw only {seen} actions: it has lost its sight");
        assert!(missing.is_empty(), "no words in accounts/audit_words.rs for {missing:?}");
    }
}
