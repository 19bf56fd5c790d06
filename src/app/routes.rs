//! Which route has which layers.

use super::{
    BuildError, Parts,
    log::{NewRequestId, log},
};
use crate::{
    accounts, backoffice, business_profile,
    config::Config,
    connections, forwarding, message_templates, phone_numbers, signup,
    store::Store,
    support,
    web::{self, Access, Route, Routes, Site, assets, csp::FacebookOrigins, error},
    webhooks,
};
use axum::{Router, extract::State, http::StatusCode, middleware};
use std::{sync::Arc, time::Duration};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    csrf::CsrfLayer,
    request_id::{PropagateRequestIdLayer, SetRequestIdLayer},
};

/// All routes with their layers, and the table of who may call which.
///
/// # Errors
/// Where the public URL is no origin.
pub(super) fn router(config: &Config, parts: &Parts) -> Result<(Router, Vec<Route>), BuildError> {
    let assets = assets::base_path();
    let site = Arc::new(Site {
        operator: config.operator_name.clone(),
        public_url: config.public_url.clone(),
        assets: assets.clone(),
        sandbox_url: config.sandbox_url.clone(),
        solution_partner: config.solution_partner,
        support_email: config.support_email.clone(),
    });
    let origin = config.public_url.origin().ascii_serialization();
    let csrf = CsrfLayer::new().add_trusted_origin(&origin).map_err(|_| BuildError::Origin)?;
    let (pages, mut table) = Routes::new()
        .merge(accounts::routes(parts.people.clone(), parts.invites.clone()))
        .merge(connections::routes(parts.connections.clone()))
        .merge(connections::permission_routes(parts.permissions.clone()))
        .merge(connections::own_app_routes(parts.own_apps.clone()))
        .merge(business_profile::routes(parts.profiles.clone()))
        .merge(message_templates::routes(parts.template_desk.clone()))
        .merge(phone_numbers::routes(parts.number_pages.clone()))
        .merge(signup::page_routes(parts.signup.clone()))
        .merge(backoffice::routes(parts.backoffice.clone()))
        .merge(support::routes(parts.support.clone()))
        .merge(forwarding::event_routes(parts.events.clone()))
        .merge(forwarding::endpoint_routes(parts.endpoint_pages.clone()))
        .into_parts();
    let pages = pages
        .fallback(|| async { web::Error::NotFound })
        .layer(csrf.clone())
        .layer(middleware::from_fn(web::page::clear_flash))
        .layer(middleware::from_fn(error::as_html));
    let (api, api_table) = signup::api_routes(parts.signup.clone())
        .merge(forwarding::endpoint_api_routes(parts.endpoint_pages.clone()))
        .into_parts();
    let api = api.layer(csrf).layer(middleware::from_fn(error::as_json));
    let (viewer, first_run) = (parts.people.two_step.clone(), parts.people.first_run.clone());
    let with_session = pages
        .merge(api)
        .layer(middleware::from_fn(move |session, request, next| {
            accounts::load_viewer(viewer.clone(), session, request, next)
        }))
        .layer(parts.sessions.clone().layer(config.is_https()))
        .layer(middleware::from_fn(move |request, next| accounts::gate(first_run.clone(), request, next)))
        .layer(axum::Extension(site));
    let (machines, machine_table) = Routes::new()
        .get(Access::Machine, "/healthz", || async { "alive\n" })
        .get(Access::Machine, "/readyz", ready)
        .with_state(parts.backoffice.store.clone())
        .merge(webhooks::routes(parts.webhooks.clone()))
        .merge(forwarding::machine_routes(parts.endpoint_pages.clone()))
        .merge(backoffice::machine_routes(config.keys.clone()))
        .into_parts();
    table.extend(api_table);
    table.extend(machine_table);
    let origins = Arc::new(FacebookOrigins::new(&config.meta.sdk_url, &config.meta.dialog_url));
    let https = config.is_https();
    let proxies: Arc<[std::net::IpAddr]> = config.trusted_proxies.clone().into();
    let outer = ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(NewRequestId))
        .layer(middleware::from_fn(move |request, next| log(proxies.clone(), request, next)))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(CatchPanicLayer::new())
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn(move |request, next| web::csp::headers(origins.clone(), https, request, next)));
    Ok((with_session.merge(assets::routes(&assets)).merge(machines).layer(outer), table))
}

/// Database reachable, migrations done.
async fn ready(State(store): State<Store>) -> (StatusCode, &'static str) {
    match tokio::time::timeout(Duration::from_secs(3), store.is_ready()).await {
        Ok(Ok(true)) => (StatusCode::OK, "ready\n"),
        Ok(Ok(false)) => (StatusCode::SERVICE_UNAVAILABLE, "the database is not migrated\n"),
        Ok(Err(error)) => {
            tracing::error!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database can't be reached\n")
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}
