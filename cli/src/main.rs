//! The `flowforge` command: the server, and the client of a server.

use std::process::ExitCode;

use clap::Parser as _;

mod admin;
mod artifact;
mod audit;
mod client;
mod command;
mod connection;
mod download;
mod exit;
mod key;
mod member;
mod migrate;
mod notification;
mod output;
mod project;
mod question;
mod run;
mod schema;
mod secret;
mod serve;
mod trigger;
mod variable;
mod version;
mod workflow;

fn main() -> ExitCode {
    // Before anything builds a TLS configuration: with more than one provider compiled in, rustls refuses to choose.
    // A second install can only mean that the same provider is already there.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    command::run(command::Arguments::parse())
}
