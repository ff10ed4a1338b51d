//! Where nodes that run code do so.

use nodes::code::CodeRoom;
use sandbox::{Health, Pool, PoolConfig};

use super::{ServeError, make_private_folder};
use crate::config::Config;

/// Where code runs. That is told of now, not when the first script comes.
pub(super) fn room(config: &Config) -> Result<CodeRoom, ServeError> {
    let settings = &config.sandbox;
    let (program, argument) = match &settings.program {
        _ if !settings.enabled => return Ok(CodeRoom::closed("`sandbox.enabled` is false")),
        None => return Ok(CodeRoom::closed("this program has no process for code")),
        Some((program, argument)) => (program.clone(), argument.clone()),
    };
    let folder = config.data_dir.join("sandbox");
    let unusable = |cause| ServeError::DataFolder { path: folder.display().to_string(), cause };
    make_private_folder(&folder).map_err(unusable)?;
    let pool = Pool::new(PoolConfig {
        arguments: vec![argument],
        processes: settings.processes,
        most_memory: settings.limits.most_memory,
        allow_weaker: settings.allow_weaker,
        idle: settings.idle,
        ..PoolConfig::new(program, folder.clone())
    })
    .map_err(unusable)?;
    let probed = pool.clone();
    std::thread::Builder::new()
        .name("sandbox-probe".to_owned())
        .spawn(move || tell_of_walls(&probed.probe()))
        .map_err(unusable)?;
    Ok(CodeRoom::new(pool, settings.limits))
}

fn tell_of_walls(health: &Health) {
    match health {
        Health::Ready(walls) if walls.are_whole() && walls.landlock > 0 => {
            tracing::info!(sandbox.landlock = walls.landlock, "code runs in processes that can reach nothing");
        }
        Health::Ready(walls) if walls.are_whole() => {
            tracing::info!(
                "code runs in processes that can reach nothing; this kernel has no landlock as a second wall"
            );
        }
        Health::Ready(walls) => {
            tracing::warn!(sandbox.walls = ?walls, "code runs in processes that are not wholly locked in, as `sandbox.allow_weaker` allows");
        }
        Health::Unavailable(why) => {
            tracing::warn!("code cannot be run here, and nodes of the type code.js fail: {why}");
        }
        Health::Unknown => {}
    }
}
