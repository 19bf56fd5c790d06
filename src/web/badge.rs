//! A status as pages show it: colour is never the only signal.

/// A look, an icon and a word.
#[derive(Clone, Debug)]
pub struct Badge {
    /// `good`, `attention`, `problem`, `waiting`, `neutral`.
    pub look: &'static str,
    /// The icon that goes with it.
    pub icon: &'static str,
    /// The word.
    pub word: String,
}

impl Badge {
    /// A badge of this look with this word.
    #[must_use]
    pub fn new(look: &'static str, word: impl Into<String>) -> Self {
        let icon = match look {
            "good" => "done",
            "attention" => "warning",
            "problem" => "error",
            "waiting" => "waiting",
            _ => "neutral",
        };
        Self { look, icon, word: word.into() }
    }
}
