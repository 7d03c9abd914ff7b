//! A session at a terminal, from an empty package to the second migration: what README.md shows is what happens.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::{Project, target_folder};

const FIRST: &str = "\
use orm::prelude::*;

#[derive(Model, Clone, Debug)]
pub struct User {
    pub id: Id<User>,
    #[orm(unique)]
    pub email: String,
    pub name: String,
}

pub fn schema() -> orm::Schema {
    orm::schema![User]
}
";

/// Runs a command at a terminal of its own; each question is answered by the next of the answers.
fn at_terminal(mut command: Command, answers: &[&str]) -> (i32, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let path = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
    let slave = OpenOptions::new().read(true).write(true).open(path).unwrap();
    command
        .stdin(slave.try_clone().unwrap())
        .stdout(slave.try_clone().unwrap())
        .stderr(slave);
    let mut child = command.spawn().unwrap();
    // its ends of the terminal are the last ones, so that reading ends with it
    drop(command);
    let mut terminal = File::from(master);
    let (mut seen, mut answers) = (Vec::new(), answers.iter());
    let mut bytes = [0; 4096];
    // the other end of a terminal being closed is an error of reading
    while let Ok(count @ 1..) = terminal.read(&mut bytes) {
        seen.extend_from_slice(&bytes[..count]);
        if seen.ends_with(b"[y/n] ") || seen.ends_with(b"[Y/n] ") || seen.ends_with(b"[y/N] ") {
            let answer = answers
                .next()
                .unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&seen)));
            terminal.write_all(format!("{answer}\n").as_bytes()).unwrap();
        }
    }
    let code = child.wait().unwrap().code();
    let seen = String::from_utf8(seen).unwrap().replace("\r\n", "\n");
    assert_eq!(answers.next(), None, "{seen}");
    (code.unwrap_or(-1), seen)
}

struct Session {
    project: Project,
    said: String,
}

impl Session {
    /// The real `cargo orm`, as a shell would find it.
    fn cargo(&mut self, args: &[&str], answers: &[&str]) {
        let mut command = Command::new("cargo");
        let programs = Path::new(env!("CARGO_BIN_EXE_cargo-orm")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        command
            .arg("orm")
            .args(args)
            .current_dir(&self.project.folder)
            .env("DATABASE_URL", &self.project.url)
            .env("PATH", format!("{}:{path}", programs.display()))
            .env("CARGO_TARGET_DIR", target_folder())
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TERM_QUIET", "true")
            .env("NO_COLOR", "1")
            .env("CI", "true");
        let quoted = args.iter().map(|a| {
            if a.contains(' ') {
                format!("\"{a}\"")
            } else {
                (*a).to_owned()
            }
        });
        let typed = quoted.collect::<Vec<_>>().join(" ");
        let (code, seen) = at_terminal(command, answers);
        assert_eq!(code, 0, "{seen}");
        self.said += &format!("$ cargo orm {typed}\n{seen}\n");
    }
    fn shows(&mut self, typed: &str, text: &str) {
        self.said += &format!("$ {typed}\n{text}\n");
    }
    /// The up script of the last migration.
    fn last_script(&self) -> String {
        let files = fs::read_dir(self.project.folder.join("migrations")).unwrap();
        let mut names: Vec<_> = files
            .map(|f| f.unwrap().file_name().into_string().unwrap())
            .collect();
        names.retain(|n| n.ends_with(".up.sql"));
        names.sort();
        self.project
            .read(&format!("migrations/{}", names.last().unwrap()))
    }
}

/// With the times and durations of a day that does not change.
fn plain(text: &str) -> String {
    let digits =
        |word: &str| word.len() == 14 && word.starts_with("20") && word.bytes().all(|b| b.is_ascii_digit());
    let mut versions: Vec<&str> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|w| digits(w))
        .collect();
    versions.sort_unstable();
    versions.dedup();
    let days = ["20260131120000", "20260202090000"];
    assert_eq!(versions.len(), days.len(), "{text}");
    let mut out = text.to_owned();
    for (version, day) in versions.iter().zip(days) {
        out = out.replace(version, day);
    }
    let lines = out.lines().map(|line| {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        for i in 1..words.len() {
            if words[i] == "ms" {
                words[i - 1] = "4".to_owned();
            }
            let is_time = |word: &str, at: char| {
                word.len() > 7 && word.contains(at) && word.chars().all(|c| c.is_ascii_digit() || c == at)
            };
            if is_time(&words[i], ':') && is_time(&words[i - 1], '-') {
                words[i - 1] = "2026-02-02".to_owned();
                words[i] = "09:12:31".to_owned();
            }
        }
        words.join(" ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned() + "\n"
}

#[test]
fn from_an_empty_package_to_the_second_migration() {
    let [_, postgres] = Project::on_each();
    let project = Project::package("town", FIRST, &postgres.url);
    let mut session = Session {
        project,
        said: String::new(),
    };
    session.shows("cat src/lib.rs", FIRST);
    session.cargo(&["migrate", "new", "create users"], &[]);
    session.cargo(&["migrate", "up"], &[]);

    let second = FIRST.replace(
        "    pub name: String,\n",
        "    #[orm(index)]\n    pub full_name: String,\n",
    );
    session.project.write("src/lib.rs", &second);
    session.shows(
        "$EDITOR src/lib.rs      # `name` is `#[orm(index)] full_name` now",
        "",
    );
    session.cargo(&["migrate", "new", "full names"], &["y", "y"]);
    let script = session.last_script();
    session.shows("cat migrations/*_full_names.up.sql", &script);
    session.cargo(&["migrate", "up"], &[]);
    session.cargo(&["migrate", "down"], &[]);
    session.cargo(&["migrate", "status"], &[]);

    let came = plain(&session.said);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (pinned, readme) = (folder.join("tests/cli/session.txt"), folder.join("../README.md"));
    let shown = fs::read_to_string(&readme).unwrap();
    let (before, rest) = shown.split_once("```console\n").unwrap();
    let (in_readme, after) = rest.split_once("```\n").unwrap();
    if std::env::var_os("ORM_CLI_PIN").is_some() {
        fs::write(&pinned, &came).unwrap();
        fs::write(&readme, format!("{before}```console\n{came}```\n{after}")).unwrap();
        return;
    }
    let expected = fs::read_to_string(&pinned).unwrap();
    assert_eq!(came, expected, "ORM_CLI_PIN=1 pins it anew\n{came}");
    assert_eq!(in_readme, expected, "README.md shows another session");
}

#[test]
fn a_loss_is_asked_for() {
    for project in Project::on_each() {
        project
            .write(
                "migrations/1_users.up.sql",
                "CREATE TABLE users (id INTEGER, name TEXT);",
            )
            .write(
                "migrations/1_users.down.sql",
                "-- orm: loses=\"the users\"\nDROP TABLE users;",
            );
        project.orm(&["migrate", "up"]).ends(0);
        let down = |answer: &str| {
            let mut command = project.command(&["migrate", "down"]);
            command.env("NO_COLOR", "1");
            at_terminal(command, &[answer])
        };
        let (code, seen) = down("n");
        assert_eq!(code, 1, "{seen}");
        assert_eq!(
            seen,
            "1_users loses the users: go on? [y/N] n\nerror: nothing was done\n"
        );
        let (code, seen) = down("y");
        assert!(code == 0 && seen.contains("undone  1_users"), "{seen}");

        let (code, seen) = at_terminal(project.command(&["db", "drop"]), &[""]);
        assert!(code == 1 && seen.contains("nothing was done"), "{seen}");
    }
}

#[test]
fn colours_are_for_terminals() {
    let [project, _] = Project::on_each();
    project.write("migrations/1_users.sql", "CREATE TABLE users (id INTEGER);");
    let status = |no_color: bool| {
        let mut command = project.command(&["migrate", "status"]);
        command.env("TERM", "xterm").env_remove("NO_COLOR");
        if no_color {
            command.env("NO_COLOR", "1");
        }
        at_terminal(command, &[]).1
    };
    assert_eq!(status(false), "\u{1b}[33mpending  \u{1b}[0m 1_users\n");
    assert_eq!(status(true), "pending   1_users\n");
}
