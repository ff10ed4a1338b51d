//! `flowforge schema`: the GraphQL schema as the server serves it.

use std::process::ExitCode;

use crate::exit::Failure;
use crate::output::Output;

/// Prints the SDL whatever the format: it is a document of its own.
pub(crate) fn print(output: Output) -> Result<ExitCode, Failure> {
    output.raw(&api::graphql::schema_sdl());
    Ok(ExitCode::SUCCESS)
}
