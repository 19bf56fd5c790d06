//! The integration tests, in one binary: each further one would link the whole tree again.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

#[macro_use]
mod support;

mod accounts;
mod architecture;
mod commands;
mod connections;
mod customers;
mod durability;
mod endpoints;
mod events;
mod forwarding;
mod jobs;
mod meta_settings;
mod numbers;
mod oversight;
mod own_apps;
mod profiles;
mod sandbox;
mod secrets;
mod signup;
mod templates;
mod tenants;
mod webhooks;
