//! `cargo orm`: the command line, as cargo finds it.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    orm_cli::cargo()
}
