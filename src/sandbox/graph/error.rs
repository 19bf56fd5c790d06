//! Graph's error object (error-codes; Graph API, *Handle errors*).

use super::super::ids;
use http::StatusCode;
use serde_json::{Value, json};

/// An error answer.
#[derive(Clone, Debug)]
pub(in crate::sandbox) struct GraphError {
    pub status: StatusCode,
    pub kind: &'static str,
    pub code: u32,
    pub subcode: Option<u32>,
    pub message: String,
    pub user: Option<(&'static str, String)>,
    pub details: Option<String>,
    pub transient: bool,
}

impl GraphError {
    /// An `OAuthException` with status 400.
    pub fn new(code: u32, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: "OAuthException",
            code,
            subcode: None,
            message: message.into(),
            user: None,
            details: None,
            transient: false,
        }
    }

    pub fn subcode(mut self, subcode: u32) -> Self {
        self.subcode = Some(subcode);
        self
    }

    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// A `GraphMethodException`, as Graph calls what is wrong with the object or the call.
    pub fn method(mut self) -> Self {
        self.kind = "GraphMethodException";
        self
    }

    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    pub fn user(mut self, title: &'static str, message: impl Into<String>) -> Self {
        self.user = Some((title, message.into()));
        self
    }

    pub fn transient(mut self) -> Self {
        self.transient = true;
        self
    }

    /// Code 190: the token is of no use.
    pub fn token(message: impl Into<String>) -> Self {
        Self::new(190, message).status(StatusCode::UNAUTHORIZED)
    }

    /// Code 100: a parameter is wrong or missing.
    pub fn parameter(message: impl std::fmt::Display) -> Self {
        Self::new(100, format!("(#100) {message}"))
    }

    /// Code 200: the token lacks a permission.
    pub fn permission(message: impl std::fmt::Display) -> Self {
        Self::new(200, format!("(#200) {message}")).status(StatusCode::FORBIDDEN)
    }

    /// Code 100 with subcode 33: no such object for this token.
    pub fn unsupported(method: &http::Method, id: &str) -> Self {
        Self::new(
            100,
            format!(
                "Unsupported {} request. Object with ID '{id}' does not exist, cannot be loaded due to missing \
                 permissions, or does not support this operation. Please read the Graph API documentation at \
                 https://developers.facebook.com/docs/graph-api",
                method.as_str().to_lowercase()
            ),
        )
        .subcode(33)
        .method()
    }

    /// Code 2: something failed on the platform's side.
    pub fn internal() -> Self {
        Self::new(2, "An unexpected error has occurred. Please retry your request later.")
            .status(StatusCode::INTERNAL_SERVER_ERROR)
            .transient()
    }

    pub fn body(&self, trace: &str) -> Value {
        let mut error = json!({"message": self.message, "type": self.kind, "code": self.code});
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = json!(subcode);
        }
        if self.transient {
            error["is_transient"] = json!(true);
        }
        if let Some((title, message)) = &self.user {
            error["error_user_title"] = json!(title);
            error["error_user_msg"] = json!(message);
        }
        if let Some(details) = &self.details {
            error["error_data"] = json!({"messaging_product": "whatsapp", "details": details});
        }
        error["fbtrace_id"] = json!(trace);
        json!({ "error": error })
    }
}

impl From<std::io::Error> for GraphError {
    fn from(error: std::io::Error) -> Self {
        tracing::error!(%error, trace = ids::trace(), "the sandbox's state could not be written");
        Self::internal()
    }
}
