//! `db shell`: the database's own client.

use std::process::Command;

use orm::migrate::Backend;
use serde_json::Value;

use crate::cmd::Context;
use crate::reply::{Reply, Stop};
use crate::url::{self, Server};

/// Opens it, and ends as it does.
pub(crate) async fn shell(context: &Context, run: Option<&str>) -> Result<Reply, Stop> {
    let url = context.config.url()?;
    let (program, mut command) = match url::backend(url)? {
        Backend::Sqlite => {
            let file = url::sqlite_file(url)
                .ok_or_else(|| Stop::usage("a database in memory is seen by its own program only"))?;
            let mut command = Command::new("sqlite3");
            command.arg(file);
            command.args(run);
            ("sqlite3", command)
        }
        Backend::Postgres => {
            let server = Server::of(url)?;
            let mut command = Command::new("psql");
            // arguments are seen by everybody on the machine
            command.arg(server.without_password(&server.database));
            if let Some(password) = server.password() {
                command.env("PGPASSWORD", password);
            }
            if let Some(run) = run {
                command.args(["-c", run]);
            }
            ("psql", command)
        }
    };
    let ended = command.status().map_err(|e| {
        Stop::usage(format!("`{program}` cannot be started: {}", e.kind()))
            .help(format!("install `{program}`, or put it on the PATH"))
    })?;
    let code = ended.code().and_then(|c| u8::try_from(c).ok()).unwrap_or(6);
    Ok(Reply::new("", Value::Null).ending(code))
}
