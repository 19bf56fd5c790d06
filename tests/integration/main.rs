//! The integration tests, in one binary: each further one would link the whole tree again.

mod architecture;
mod sandbox;
