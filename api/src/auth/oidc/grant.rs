//! What the provider's words mean here: the table of the settings, and nothing beside it.

use super::Claims;
use crate::config::oidc::{Grant, Holder, OidcConfig};

/// What Keycloak calls the user of a program, before the program's id.
const PROGRAM_PREFIX: &str = "service-account-";

/// The program that has this token by its own credentials. A token that a program has for a person has a session.
pub(super) fn program(claims: &Claims) -> Option<&str> {
    let client = claims.text("client_id").or_else(|| claims.text("azp"))?;
    // RFC 9068 names the program as its own subject; Keycloak gives it a user of its own.
    let is_own = claims.text("sub") == Some(client)
        || claims
            .text("preferred_username")
            .and_then(|name| name.strip_prefix(PROGRAM_PREFIX))
            .is_some_and(|name| name == client.to_lowercase());
    (is_own && claims.text("sid").is_none()).then_some(client)
}

/// The rows of the table that hold for a token.
pub(super) fn grants(config: &OidcConfig, claims: &Claims, program: Option<&str>) -> Vec<Grant> {
    // Roles and groups of a program's user are the provider's own business; it may what it is given by name.
    if let Some(program) = program {
        let own = config.service_accounts.iter().filter(|grant| grant.to == Holder::Client(program.to_owned()));
        return own.cloned().collect();
    }
    let at = |pointers: &[String]| -> Vec<String> {
        pointers.iter().flat_map(|pointer| claims.texts_at(pointer)).map(str::to_owned).collect()
    };
    let (roles, groups) = (at(&config.role_claims), at(&config.group_claims));
    let holds = |grant: &&Grant| match &grant.to {
        Holder::Role(name) => roles.contains(name),
        Holder::Group(path) => groups.contains(path),
        Holder::Client(_) => false,
    };
    config.grants.iter().filter(holds).cloned().collect()
}
