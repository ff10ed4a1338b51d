//! `flowforge artifact`: files of runs, and files to start runs with.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use nodes::file::media;
use serde_json::{Value, json};

use crate::client::Client;
use crate::command::Global;
use crate::download::into_file;
use crate::exit::Failure;
use crate::output::{Cell, Output, Shade};
use crate::question::artifact as question;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the files of a run.
    List {
        /// The run's id, `run_…`.
        #[arg(long, value_name = "ID")]
        run: String,
    },
    /// Send a file, which then waits a week for runs to be started with it.
    Upload(Upload),
    /// Get a file.
    Download(Download),
    /// Make a link to a file that needs no sign-in. It cannot be taken back.
    Link {
        /// The file's id, `art_…`.
        id: String,
        /// How long it lives: up to a week.
        #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=10_080), value_name = "N")]
        minutes: u32,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Upload {
    /// The file.
    path: PathBuf,
    /// What it is called there; its own name when absent.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What it is, such as text/csv; told by the name's ending when absent.
    #[arg(long, value_name = "TYPE")]
    media_type: Option<String>,
    /// The project whose workflows may use it.
    #[arg(long, default_value = "default", value_name = "NAME")]
    project: String,
}

#[derive(Debug, Args)]
pub(crate) struct Download {
    /// The file's id, `art_…`.
    id: String,
    /// Where to write it, `-` for standard output; here, under its own name, when absent.
    #[arg(long, short = 'O', value_name = "FILE")]
    to: Option<PathBuf>,
    /// Replace what is there.
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    let (client, output) = (global.client()?, global.output());
    match command {
        Command::List { run } => list(&client, &run, output).await,
        Command::Upload(wanted) => {
            let Upload { path, name, media_type, project } = wanted;
            let file = upload(&client, &path, name, media_type, &project).await?;
            if output.is_json() {
                output.document(&json!({ "artifact": file }));
            } else {
                let id = file["id"].as_str().unwrap_or_default();
                output.line(&format!(
                    "{} {}",
                    output.paint(Shade::Strong, id),
                    file["name"].as_str().unwrap_or_default()
                ));
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Download(wanted) => download(&client, &wanted, output).await,
        Command::Link { id, minutes } => {
            let input = json!({ "artifactId": id, "minutes": minutes });
            let made = client.change("createArtifactLink", question::LINK, input).await?["link"].take();
            let url = client.whole(made["url"].as_str().unwrap_or_default())?;
            if output.is_json() {
                output.document(&json!({ "url": url.as_str(), "expiresAt": made["expiresAt"] }));
            } else {
                output.line(url.as_str());
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn list(client: &Client, run: &str, output: Output) -> Result<ExitCode, Failure> {
    let files = client.all(question::OF_RUN, json!({ "id": run }), "/run/artifacts").await?;
    if output.is_json() {
        output.document(&json!({ "artifacts": files }));
        return Ok(ExitCode::SUCCESS);
    }
    if files.is_empty() {
        output.line("no files");
        return Ok(ExitCode::SUCCESS);
    }
    let text = |file: &Value, name: &str| file[name].as_str().unwrap_or_default().to_owned();
    let row = |file: &Value| {
        vec![
            Cell::shaded(text(file, "id"), Shade::Strong),
            Cell::plain(text(file, "name")),
            Cell::plain(text(file, "mediaType")),
            Cell::plain(file["size"].to_string()),
            Cell::plain(text(file, "node")),
            Cell::shaded(text(file, "createdAt"), Shade::Dim),
        ]
    };
    output.table(&["id", "name", "type", "bytes", "kept by", "created"], &files.iter().map(row).collect::<Vec<_>>());
    Ok(ExitCode::SUCCESS)
}

/// Sends a file; what it is there.
pub(crate) async fn upload(
    client: &Client,
    path: &Path,
    name: Option<String>,
    media_type: Option<String>,
    project: &str,
) -> Result<Value, Failure> {
    let wrong = |why: String| Failure::usage(format!("{}: {why}", path.display()));
    let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
    let about = file.metadata().map_err(|error| wrong(error.to_string()))?;
    if !about.is_file() {
        return Err(wrong("it is no file".to_owned()));
    }
    let own = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.or(own).ok_or_else(|| wrong("it has no name; give one by --name".to_owned()))?;
    let media_type = media_type.or_else(|| media::of_name(&name).map(str::to_owned));
    let input = json!({ "project": project, "name": name, "mediaType": media_type, "size": about.len() });
    let told = client.change("createArtifactUpload", question::UPLOAD, input).await?["upload"].take();
    let headers = told["headers"].as_array().into_iter().flatten();
    let headers = headers.filter_map(|header| Some((header["name"].as_str()?, header["value"].as_str()?)));
    client.put(told["url"].as_str().unwrap_or_default(), headers, file, about.len()).await?;
    let done = client.change("completeArtifactUpload", question::COMPLETE, json!({ "token": told["token"] })).await;
    Ok(done?["artifact"].take())
}

async fn download(client: &Client, wanted: &Download, output: Output) -> Result<ExitCode, Failure> {
    let file = client.ask(question::GET, json!({ "id": wanted.id })).await?["node"].take();
    let Some(path) = file["contentPath"].as_str() else {
        return Err(Failure::of_code("NOT_FOUND", format!("{} is no file", wanted.id)));
    };
    if wanted.to.as_deref() == Some(Path::new("-")) {
        client.download(path, &[], |piece| output.piece(piece)).await?;
        return Ok(ExitCode::SUCCESS);
    }
    // The server's names are one part of a path.
    let to = wanted.to.clone().unwrap_or_else(|| PathBuf::from(file["name"].as_str().unwrap_or("file")));
    into_file(client, path, &to, wanted.force, file["size"].as_u64()).await?;
    if output.is_json() {
        output.document(&json!({ "artifact": file, "path": to }));
    } else {
        output.line(&format!("{} {} bytes", output.paint(Shade::Strong, &to.display().to_string()), file["size"]));
    }
    Ok(ExitCode::SUCCESS)
}
