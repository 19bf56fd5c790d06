//! Doorway: a self-hosted portal through which a company's customers bring their WhatsApp Business
//! accounts to it. `docs/architecture.md` says what stands where and who may use whom.

pub mod accounts;
pub mod app;
pub mod backoffice;
pub mod base;
pub mod business_profile;
pub mod cli;
pub mod config;
pub mod connections;
pub mod doctor;
pub mod forwarding;
pub mod graph;
pub mod jobs;
pub mod message_templates;
pub mod messaging;
pub mod phone_numbers;
pub mod sandbox;
pub mod signup;
pub mod store;
pub mod support;
pub mod web;
pub mod webhooks;

/// A webhook's body is made on one thread and freed on another, which the C library's allocator does under a lock: a
/// tenth of what the intake cost.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
