//! The child of the tests. The server is a child of itself instead.

fn main() -> std::process::ExitCode {
    sandbox::child()
}
