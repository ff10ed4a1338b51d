//! `flowforge serve`: all of the server in one process.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use api::Banner;
use api::config::Config;

use crate::admin;
use crate::command::{Global, KEY_FILE};
use crate::exit::{Exit, Failure};
use crate::output::{Output, Shade};

pub(crate) async fn serve(global: &Global) -> Result<ExitCode, Failure> {
    let mut config = global.settings()?;
    config.sandbox.program = own_program().map(|program| (program, "sandbox".to_owned()));
    let output = global.output();
    let key_file = config.data_dir.join(KEY_FILE);
    if config.database.url.is_sqlite() {
        leave_first_key(&config, &key_file).await?;
    }
    let has_key_file = key_file.is_file();
    // Whoever starts an embedded home owns it; other homes make links by a command.
    let token = if config.database.url.is_sqlite() && api::has_pages() {
        Some(api::create_login_link(&config, "default").await.map_err(|error| failed(&error))?)
    } else {
        None
    };
    api::serve(config, |banner| welcome(output, banner, has_key_file.then_some(key_file.as_path()), token.as_deref()))
        .await
        .map_err(|error| failed(&error))?;
    Ok(ExitCode::SUCCESS)
}

/// This program, to be started again as a process for code. Through `/proc` it is the same one even when its file was
/// replaced meanwhile.
fn own_program() -> Option<PathBuf> {
    let linked = PathBuf::from("/proc/self/exe");
    if linked.exists() { Some(linked) } else { std::env::current_exe().ok() }
}

/// An embedded home that nobody has a key for gets one, in a file that only its owner can read, so that commands on
/// this machine work at once.
async fn leave_first_key(config: &Config, file: &Path) -> Result<(), Failure> {
    let Some(created) = api::create_first_key(config, "first start").await.map_err(|error| failed(&error))? else {
        return Ok(());
    };
    write_private(file, created.secret.expose()).map_err(|error| {
        Failure::new(Exit::Failed, "CANNOT_START", format!("{} cannot be written: {error}", file.display()))
    })
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file)?;
    // A file that was there before keeps its mode otherwise.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

/// The last lines of a start: where it listens, and what a newcomer does next.
fn welcome(output: Output, banner: &Banner, key_file: Option<&Path>, token: Option<&str>) {
    let url = format!("http://{}", banner.address);
    let link = token.map(|token| admin::link(&url, token));
    if output.is_json() {
        let key_file = key_file.map(|file| file.display().to_string());
        output.document(&serde_json::json!({ "url": url, "keyFile": key_file, "link": link }));
        return;
    }
    // As it was called, so that the next commands can be copied: it need not be in the path.
    let program = std::env::args().next().unwrap_or_else(|| "flowforge".to_owned());
    for line in lines(&program, &url, banner.needs_key, key_file) {
        let line = match line.split_once("  # ") {
            Some((command, why)) => format!("{command}  {}", output.paint(Shade::Dim, &format!("# {why}"))),
            None => line,
        };
        output.line(&line);
    }
    if let Some(link) = link {
        output.line("");
        output.line("Or in a browser; this link signs you in once, within an hour:");
        output.line(&format!("  {}", output.paint(Shade::Strong, &link)));
    }
}

fn lines(program: &str, url: &str, needs_key: bool, key_file: Option<&Path>) -> Vec<String> {
    let mut lines = vec![String::new(), format!("FlowForge listens on {url}")];
    if let Some(file) = key_file {
        lines.push(format!("Commands on this machine find their key in {}", file.display()));
    }
    lines.push(String::new());
    lines.push("What to do next, in a second terminal:".to_owned());
    let mut steps = Vec::new();
    if url != "http://127.0.0.1:8080" {
        steps.push((format!("export FLOWFORGE_URL={url}"), "where the next commands find this server"));
    }
    if key_file.is_none() {
        let why = if needs_key { "nobody has a key yet; it is shown once" } else { "a key, when you have none" };
        steps.push((format!("{program} key create --workspace default --role admin"), why));
        steps.push(("export FLOWFORGE_API_KEY=ff_…".to_owned(), "what that printed"));
    }
    steps.push((format!("{program} workflow apply examples/hello.flow.yaml"), "publish a workflow"));
    steps.push((format!(r#"{program} workflow run hello --input '{{"name": "Ada"}}' --watch"#), "run it"));
    steps.push((format!("{program} run list"), "see your runs"));
    steps.push(("make demo".to_owned(), "in a checkout: two examples on real input"));
    let width = steps.iter().map(|(command, _)| command.chars().count()).max().unwrap_or_default();
    lines.extend(steps.into_iter().map(|(command, why)| format!("  {command:width$}  # {why}")));
    lines
}

fn failed(error: &api::ServeError) -> Failure {
    Failure::new(Exit::Failed, "CANNOT_SERVE", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newcomer_is_told_each_step() {
        let lines = lines("scripts/flowforge", "http://127.0.0.1:9", true, None).join("\n");
        for step in [
            "listens on http://127.0.0.1:9",
            "FLOWFORGE_URL=http://127.0.0.1:9",
            "scripts/flowforge key create",
            "apply",
            "run hello",
            "make demo",
        ] {
            assert!(lines.contains(step), "{step} in {lines}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_reads_the_key_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(KEY_FILE);
        std::fs::write(&file, "old and longer than the new one").unwrap();
        write_private(&file, "ff_x").unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "ff_x\n");
    }
}
