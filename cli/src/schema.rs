//! `flowforge schema`: the GraphQL schema as the server serves it, and the pages that are made from the program.

use std::path::Path;

use std::process::ExitCode;

use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Writes the guides to problems and to access and the pages of the node types below a folder such as `docs`.
pub(crate) fn write_pages(folder: &Path) -> Result<ExitCode, Failure> {
    write(&folder.join("guides/problems.md"), &engine::definition::problem::guide())?;
    write(&folder.join("guides/access.md"), &engine::policy::guide())?;
    for descriptor in nodes::Registry::built_in().descriptors() {
        for language in nodes::page::LANGUAGES {
            let name = format!("{}.md", nodes::page::file_name(descriptor));
            let path = if language == "en" { folder.join("nodes") } else { folder.join("nodes").join(language) };
            write(&path.join(name), &nodes::page::page(descriptor, language))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(path);
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, text));
    written.map_err(|error| Failure::new(Exit::Failed, "IO", format!("cannot write {}: {error}", path.display())))
}

/// Prints the SDL whatever the format: it is a document of its own.
pub(crate) fn print(output: Output) -> Result<ExitCode, Failure> {
    output.raw(&api::graphql::schema_sdl());
    Ok(ExitCode::SUCCESS)
}
