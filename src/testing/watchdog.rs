//! The process that owns a cluster's folder and outlives whoever started it.
//!
//! It is a shell script at the other end of a pipe. The folder, `initdb` and the server all come to be by its hand
//! and on our word; when the pipe closes, because we dropped it or because our process died in whatever way, it
//! stops the server and deletes the folder. So there is no moment at which a kill could leave something behind.
//!
//! Every process that uses a shared cluster has a watchdog of its own. Each holds a file in the folder's `users`;
//! the one that manages to remove the empty `users` folder ends the cluster, and nobody can join after that.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::testing::cluster::ClusterError;
use crate::testing::server::Account;

/// Arguments: the folder, this user's name in `users`, seconds to wait for another user before the end.
///
/// Signals are ignored because Ctrl-C and a closing terminal hit the tests, whose end is what counts.
///
/// A frozen server is woken so that it can quit. A killed one may stay a zombie where nobody reaps orphans, and
/// leaves behind its lock file, `postmaster.pid`, and the System V memory segment noted there; a new server in the
/// folder takes care of the segment, but not of the file. Its last children may still write while the folder is
/// being deleted.
///
/// A founder that ends without having written `state` came not so far that anybody else could use the cluster.
const SCRIPT: &str = r#"
trap '' INT TERM HUP QUIT PIPE
umask 022
dir=$1 me=$2 grace=$3 made= segment=

init() {
    for locale in C.UTF-8 C; do
        "$bin/initdb" -D "$dir/data" -U postgres -A trust -N -E UTF8 --locale=$locale && return
        rm -rf "$dir/data"
    done
    return 1
}
start() {
    segment=
    "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 start
}
alive() {
    kill -0 "$pid" && ! grep -q ') Z ' "/proc/$pid/stat"
}
stop() {
    lock=$dir/data/postmaster.pid tries=0
    [ -f "$lock" ] || return 0
    read -r pid <"$lock"
    words=$(sed -n 7p "$lock")
    kill -QUIT "$pid" && kill -CONT "$pid"
    while [ -f "$lock" ] && alive; do
        sleep 0.02
        tries=$((tries + 1))
        [ $tries -lt 400 ] || kill -KILL "$pid"
    done
    if [ -f "$lock" ]; then
        rm -f "$lock"
        segment=${words##* }
    fi
}
raze() {
    rm -rf "$dir/users"
    stop
    [ -z "$segment" ] || ipcrm -m "$segment"
    for try in 1 2 3 4 5 6 7 8 9; do
        rm -rf "$dir" && return
        sleep 0.1
    done
}

if mkdir "$dir"; then
    made=1
    mkdir "$dir/users" && : >"$dir/users/$me" && echo founded
elif [ -d "$dir/users" ] && : >"$dir/users/$me"; then
    echo joined
else
    echo refused
    exit
fi
while read -r word bin; do
    if $word >>"$dir/report" 2>&1 </dev/null; then echo done; else echo failed; fi
done
if [ "$made" ] && [ -f "$dir/users/$me" ] && [ ! -f "$dir/state" ]; then raze; exit; fi
rm "$dir/users/$me" || exit
[ "$grace" = 0 ] || sleep "$grace"
rmdir "$dir/users" && raze
"#;

/// How a watchdog found the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The folder is new.
    Founded,
    /// The folder was there, with others in it.
    Joined,
    /// The folder can neither be made nor joined: another watchdog is making or deleting it, or has no right to.
    Refused,
}

/// What a watchdog can be asked to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Task<'a> {
    /// Run `initdb` of this folder.
    Init(&'a Path),
    /// Start the server with the `pg_ctl` of this folder and wait until it accepts connections.
    Start(&'a Path),
    /// Stop the server at once and wait until it is gone.
    Stop,
    /// Stop the server and delete the folder, whoever else uses it.
    Raze,
}

#[derive(Debug)]
pub(super) struct Watchdog {
    child: Child,
    talk: Mutex<Talk>,
    lingers: bool,
}

#[derive(Debug)]
struct Talk {
    /// The pipe whose closing is the end; opened close-on-exec, so no server inherits it.
    commands: Option<ChildStdin>,
    replies: BufReader<ChildStdout>,
}

impl Watchdog {
    pub(super) fn spawn(account: Account, dir: &Path, grace: u32) -> Result<(Self, Arrival), ClusterError> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "orm-test-watchdog"]).arg(dir);
        command.args([std::process::id().to_string(), grace.to_string()]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command.current_dir("/").process_group(0).env("LC_ALL", "C");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        if let Account::Other { uid, gid } = account {
            command.uid(uid).gid(gid);
        }
        let cannot = |error| ClusterError::io("run", Path::new("/bin/sh"), &error);
        let mut child = command.spawn().map_err(cannot)?;
        let (Some(commands), Some(replies)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(ClusterError::new("the watchdog has no pipe"));
        };
        let mut talk = Talk {
            commands: Some(commands),
            replies: BufReader::new(replies),
        };
        let arrival = match talk.listen()?.as_str() {
            "founded" => Arrival::Founded,
            "joined" => Arrival::Joined,
            _ => Arrival::Refused,
        };
        Ok((
            Watchdog {
                child,
                talk: Mutex::new(talk),
                lingers: grace > 0,
            },
            arrival,
        ))
    }

    /// Whether the task was done; why not is in the folder's `report`.
    pub(super) fn ask(&self, task: Task<'_>) -> Result<bool, ClusterError> {
        let line = match task {
            Task::Init(bin) => format!("init {}\n", bin.display()),
            Task::Start(bin) => format!("start {}\n", bin.display()),
            Task::Stop => "stop\n".to_owned(),
            Task::Raze => "raze\n".to_owned(),
        };
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = talk.commands.as_mut().map(|pipe| pipe.write_all(line.as_bytes()));
        if !matches!(sent, Some(Ok(()))) {
            return Err(gone());
        }
        Ok(talk.listen()? == "done")
    }
}

impl Talk {
    fn listen(&mut self) -> Result<String, ClusterError> {
        let mut line = String::new();
        match self.replies.read_line(&mut line) {
            Ok(1..) => Ok(line.trim_end().to_owned()),
            Ok(0) | Err(_) => Err(gone()),
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.talk
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .commands = None;
        if !self.lingers {
            // Nothing to be done about a failure here: the watchdog works on by itself.
            let _ = self.child.wait();
        }
    }
}

fn gone() -> ClusterError {
    ClusterError::new("the watchdog process ended unexpectedly; was it killed?")
}
