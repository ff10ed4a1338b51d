//! What the system says of a child.

use std::path::Path;
use std::time::Duration;

use sandbox::{Health, Pool, PoolConfig};

use crate::place::{TENANT, config, job, pool, value};

/// A child that waits for its next script.
async fn resting(pool: &Pool) -> u32 {
    value(pool, "return 1").await;
    *pool.resting().first().unwrap()
}

fn read(pid: u32, file: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap()
}

#[tokio::test]
async fn f4_a_child_shows_its_walls() {
    let pool = pool();
    let pid = resting(&pool).await;
    let status = read(pid, "status");
    for line in ["Seccomp:\t2", "NoNewPrivs:\t1", "Threads:\t1"] {
        assert!(status.lines().any(|found| found == line), "{line} in {status}");
    }
    assert_eq!(read(pid, "environ"), "", "its environment is empty");
    let limits = read(pid, "limits");
    for (name, most) in
        [("Max core file size", "0"), ("Max file size", "0"), ("Max processes", "0"), ("Max open files", "3")]
    {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        assert_eq!(line[name.len()..].split_whitespace().next(), Some(most), "{line}");
    }
    let session = read(pid, "stat").rsplit_once(')').unwrap().1.split_whitespace().nth(3).unwrap().to_owned();
    assert_eq!(session, pid.to_string(), "it leads a session of its own");
    let Health::Ready(walls) = pool.health() else { panic!("{:?}", pool.health()) };
    assert!(walls.are_whole());
}

#[tokio::test]
async fn f4_a_child_inherits_no_descriptor_whoever_left_one_open() {
    // One that outlives exec, as a library of C might leave it.
    let file = std::fs::File::open("/dev/null").unwrap();
    let left_open = nix::unistd::dup(&file).unwrap();
    nix::fcntl::fcntl(&left_open, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
    let pool = pool();
    let pid = resting(&pool).await;
    let mut descriptors: Vec<(String, String)> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let target = std::fs::read_link(&path).unwrap().display().to_string();
            (path.file_name().unwrap().to_string_lossy().into_owned(), target)
        })
        .collect();
    descriptors.sort();
    let names: Vec<_> = descriptors.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["0", "1", "2"]);
    assert!(descriptors.iter().all(|(_, target)| target.starts_with("pipe:")), "{descriptors:?}");
}

#[tokio::test]
async fn a_child_starts_in_the_empty_folder_that_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let pool = Pool::new(PoolConfig { folder: folder.path().to_owned(), ..config() }).unwrap();
    let pid = resting(&pool).await;
    let place = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap();
    assert_eq!(place, std::fs::canonicalize(folder.path()).unwrap());
}

#[tokio::test]
async fn children_end_with_their_pool() {
    let pool = pool();
    let pid = resting(&pool).await;
    assert!(Path::new(&format!("/proc/{pid}")).exists());
    drop(pool);
    let gone = tokio::time::timeout(Duration::from_secs(5), async {
        while Path::new(&format!("/proc/{pid}/fd/0")).exists() {
            tokio::task::yield_now().await;
        }
    });
    gone.await.unwrap();
}

#[tokio::test]
async fn a_child_that_is_killed_in_the_middle_is_told_of_and_replaced() {
    let pool = pool();
    let pid = resting(&pool).await;
    let running = pool.execute(TENANT, job("while (true) {}"));
    let killing = async {
        // It is at work once it does not rest any more.
        while pool.resting().contains(&pid) {
            tokio::task::yield_now().await;
        }
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid as i32), nix::sys::signal::Signal::SIGKILL).unwrap();
    };
    let (ended, ()) = tokio::join!(running, killing);
    assert!(matches!(ended, Err(sandbox::RunError::Died(_))), "{ended:?}");
    assert_eq!(value(&pool, "return 2").await, 2);
}
