//! What is sent to endpoints, in each of the three formats. Pure, but for media that is fetched for MO/DLR.

/// What a delivery sends.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The body, JSON.
    pub body: Vec<u8>,
    /// Headers beside `content-type: application/json`, signatures among them.
    pub headers: Vec<(&'static str, String)>,
}

/// A delivery that an endpoint of some format gets for a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which of the change's items; `None`: the whole change.
    pub item: Option<usize>,
    /// What it is in order with: a digest of number and conversation; 0: nothing.
    pub lane: i64,
}
