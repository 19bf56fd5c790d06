//! What a token's inspection means. `granular_scopes` is no contract: in some weeks Meta sent the WhatsApp
//! permissions only in `scopes`, or granular entries without targets. So: the union, repeated entries
//! merged, missing targets meaning *not known*; the proof is a call that works.

use super::failure::{Failure, Reason};
use crate::{
    base::ids::{AppId, BusinessId, WabaId},
    graph::TokenInfo,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use time::OffsetDateTime;

/// Read and change accounts, numbers and templates.
pub const MANAGEMENT: &str = "whatsapp_business_management";
/// Send and receive messages.
pub const MESSAGING: &str = "whatsapp_business_messaging";
/// Its targets are businesses, not WABAs.
const BUSINESS: &str = "business_management";

/// What the token is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantInfo {
    /// All permissions, from both lists.
    pub scopes: Vec<String>,
    /// The WABAs that were ever shared with us; empty where not told. To be proven one by one.
    pub waba_ids: Vec<WabaId>,
    /// Businesses.
    pub business_ids: Vec<BusinessId>,
    /// When the token ends, in seconds since the epoch; `None`: never.
    pub expires_at: Option<i64>,
    /// When access to the data ends, in seconds since the epoch: another thing.
    pub data_access_expires_at: Option<i64>,
}

impl GrantInfo {
    /// When the token ends; `None`: never.
    #[must_use]
    pub fn token_end(&self) -> Option<OffsetDateTime> {
        self.expires_at.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok())
    }

    /// When access to the data ends.
    #[must_use]
    pub fn data_access_end(&self) -> Option<OffsetDateTime> {
        self.data_access_expires_at.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok())
    }
}

/// Reads an inspection.
///
/// # Errors
/// The [`Failure`] with which the attempt ends: not valid, not ours, or a permission missing.
pub fn inspect(info: &TokenInfo, our_app: &AppId) -> Result<GrantInfo, Failure> {
    if !info.is_valid {
        return Err(Failure::new(Reason::TokenRevoked));
    }
    if info.app_id.as_deref() != Some(our_app.as_str()) {
        return Err(Failure::new(Reason::WrongApp));
    }
    let mut scopes: BTreeSet<String> = info.scopes.iter().cloned().collect();
    scopes.extend(info.granular_scopes.iter().map(|granular| granular.scope.clone()));
    let missing: Vec<&str> = [MANAGEMENT, MESSAGING].into_iter().filter(|scope| !scopes.contains(*scope)).collect();
    if !missing.is_empty() {
        // Declined, an older grant passed on, standard access only, or no WABA: the token does not tell
        // which, so the page names them all.
        return Err(Failure::new(Reason::NoWhatsAppPermission).with_detail(format!("missing: {}", missing.join(", "))));
    }
    let targets = |wanted: &dyn Fn(&str) -> bool| {
        info.granular_scopes
            .iter()
            .filter(|granular| wanted(&granular.scope))
            .filter_map(|granular| granular.targets())
            .flatten()
            .collect::<BTreeSet<String>>()
    };
    let waba_ids = targets(&|scope| scope == MANAGEMENT || scope == MESSAGING);
    let business_ids = targets(&|scope| scope == BUSINESS);
    Ok(GrantInfo {
        scopes: scopes.into_iter().collect(),
        waba_ids: waba_ids.iter().filter_map(|id| id.parse().ok()).collect(),
        business_ids: business_ids.iter().filter_map(|id| id.parse().ok()).collect(),
        // 0 means never. https://developers.facebook.com/docs/graph-api/reference/debug_token
        expires_at: info.expires_at.filter(|at| *at > 0),
        data_access_expires_at: info.data_access_expires_at.filter(|at| *at > 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(json: &str) -> TokenInfo {
        serde_json::from_str(json).unwrap()
    }

    fn app() -> AppId {
        "42".parse().unwrap()
    }

    #[test]
    fn scopes_are_united_and_targets_merged() {
        let info = token(
            r#"{"app_id":"42","is_valid":true,"expires_at":0,"data_access_expires_at":1800000000,
            "scopes":["whatsapp_business_messaging"],
            "granular_scopes":[{"scope":"whatsapp_business_management","target_ids":["10","11"]},
              {"scope":"whatsapp_business_management","target_ids":[11,12]},
              {"scope":"whatsapp_business_messaging"},
              {"scope":"business_management","target_ids":["900"]}]}"#,
        );
        let grant = inspect(&info, &app()).unwrap();
        assert_eq!(grant.waba_ids.iter().map(WabaId::as_str).collect::<Vec<_>>(), ["10", "11", "12"]);
        assert_eq!(grant.business_ids.len(), 1);
        assert_eq!((grant.expires_at, grant.data_access_expires_at), (None, Some(1_800_000_000)));
    }

    #[test]
    fn missing_targets_mean_not_known() {
        let info = token(
            r#"{"app_id":42,"is_valid":true,"scopes":["whatsapp_business_management","whatsapp_business_messaging"]}"#,
        );
        assert!(inspect(&info, &app()).unwrap().waba_ids.is_empty());
    }

    #[test]
    fn what_is_missing_is_told_apart() {
        let reason = |json: &str| inspect(&token(json), &app()).unwrap_err().reason;
        assert_eq!(reason(r#"{"app_id":"42","is_valid":false}"#), Reason::TokenRevoked);
        assert_eq!(reason(r#"{"app_id":"43","is_valid":true}"#), Reason::WrongApp);
        assert_eq!(reason(r#"{"is_valid":true}"#), Reason::WrongApp);
        assert_eq!(reason(r#"{"app_id":"42","is_valid":true}"#), Reason::NoWhatsAppPermission);
        assert_eq!(
            reason(r#"{"app_id":"42","is_valid":true,"scopes":["whatsapp_business_management"]}"#),
            Reason::NoWhatsAppPermission
        );
    }
}
