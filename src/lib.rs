//! Doorway: a self-hosted portal through which a company's customers bring their WhatsApp Business
//! accounts to it. `docs/architecture.md` says what stands where and who may use whom.

pub mod base;
pub mod sandbox;
