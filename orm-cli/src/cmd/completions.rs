//! Completions for shells.

use clap::CommandFactory;
use serde_json::json;

use crate::args::Typed;
use crate::reply::Reply;

pub(crate) fn completions(shell: clap_complete::Shell) -> Reply {
    let mut command = Typed::command().bin_name("cargo-orm");
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut command, "cargo-orm", &mut out);
    let text = String::from_utf8_lossy(&out).into_owned();
    let json = json!({ "shell": shell.to_string(), "script": text });
    Reply::new(text, json)
}
