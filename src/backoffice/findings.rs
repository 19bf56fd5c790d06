//! One line of a check: what was found, how bad it is, and the cure.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Does not work.
    Red,
    /// Works, but.
    Amber,
    /// Can't be told here.
    Grey,
    /// Well.
    Green,
}

impl Grade {
    /// The word in the page's attribute.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Amber => "amber",
            Self::Grey => "grey",
            Self::Green => "green",
        }
    }

    /// The status by which the design system colours a line.
    #[must_use]
    pub fn look(self) -> &'static str {
        match self {
            Self::Red => "problem",
            Self::Amber => "attention",
            Self::Grey => "optional",
            Self::Green => "done",
        }
    }

    /// The icon beside it.
    #[must_use]
    pub fn icon(self) -> &'static str {
        match self {
            Self::Red => "error",
            Self::Amber => "warning",
            Self::Grey => "neutral",
            Self::Green => "done",
        }
    }

    /// What the icon and the colour say, in a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Red => "Wrong",
            Self::Amber => "Attention",
            Self::Grey => "Not checked",
            Self::Green => "Good",
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which line it is, such as `webhooks.fields`: stays the same, whatever was found.
    pub id: String,
    /// How bad it is.
    pub grade: Grade,
    /// What was found.
    pub what: String,
    /// What to do, where something is to be done.
    pub cure: Option<String>,
    /// More, for whoever looks closer: Meta's own words.
    pub detail: Option<String>,
}

impl Finding {
    /// A line without a cure.
    #[must_use]
    pub fn new(id: &str, grade: Grade, what: impl Into<String>) -> Self {
        Self { id: id.to_owned(), grade, what: what.into(), cure: None, detail: None }
    }

    /// Well.
    #[must_use]
    pub fn green(id: &str, what: impl Into<String>) -> Self {
        Self::new(id, Grade::Green, what)
    }

    /// Works, but.
    #[must_use]
    pub fn amber(id: &str, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { cure: Some(cure.into()), ..Self::new(id, Grade::Amber, what) }
    }

    /// Does not work.
    #[must_use]
    pub fn red(id: &str, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { cure: Some(cure.into()), ..Self::new(id, Grade::Red, what) }
    }

    /// Can't be told here.
    #[must_use]
    pub fn grey(id: &str, what: impl Into<String>) -> Self {
        Self::new(id, Grade::Grey, what)
    }

    /// With what Meta said.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// With what to do.
    #[must_use]
    pub fn with_cure(self, cure: impl Into<String>) -> Self {
        Self { cure: Some(cure.into()), ..self }
    }

    /// Whether somebody should do something.
    #[must_use]
    pub fn wants_attention(&self) -> bool {
        matches!(self.grade, Grade::Red | Grade::Amber)
    }
}

/// The line of this name.
#[must_use]
pub fn find<'a>(findings: &'a [Finding], id: &str) -> Option<&'a Finding> {
    findings.iter().find(|finding| finding.id == id)
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.grade {
            Grade::Green => "ok     ",
            Grade::Amber => "warning",
            Grade::Red => "WRONG  ",
            Grade::Grey => "note   ",
        };
        write!(f, "{word}  {}", self.what)?;
        if let Some(detail) = &self.detail {
            write!(f, " ({detail})")?;
        }
        match &self.cure {
            Some(cure) => write!(f, "\n         -> {cure}"),
            None => Ok(()),
        }
    }
}
