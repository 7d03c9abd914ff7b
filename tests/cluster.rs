//! The throw-away PostgreSQL: it works, and nothing of it stays behind, however its process ends.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use orm::testing::Cluster;

/// Set in the processes that the tests start: which cluster to use, and how to end.
const ROLE: &str = "ORM_CLUSTER_TEST_ROLE";

#[test]
fn a_cluster_serves_both_ways_and_ends_with_its_handle() {
    let file = std::env::temp_dir().join(format!("orm-cluster-test-{}.crl", std::process::id()));
    std::fs::write(&file, "").unwrap();
    let settings = [
        ("work_mem", "5MB"),
        ("application_name", "it's \\ here"),
        ("ssl_crl_file", file.to_str().unwrap()),
    ];
    let cluster = Cluster::start_with(&settings).unwrap();
    std::fs::remove_file(&file).unwrap();
    let (dir, port) = (cluster.socket_dir().unwrap().to_owned(), cluster.port().unwrap());
    let pid = cluster.postmaster_pid().unwrap();
    assert_eq!(
        cluster.tcp_url("a/b"),
        format!("postgres://postgres@127.0.0.1:{port}/a%2Fb")
    );
    assert_eq!(
        cluster.url("x"),
        format!("postgres://postgres@localhost:{port}/x?host={}", dir.display())
    );

    let mut socket = UnixStream::connect(dir.join(format!(".s.PGSQL.{port}"))).unwrap();
    assert_eq!(ask(&mut socket, "work_mem"), "5MB");
    for (setting, value) in [
        ("max_connections", "200"),
        ("application_name", "it's \\ here"),
        ("ssl_crl_file", "ssl_crl_file"),
    ] {
        assert_eq!(
            ask(&mut TcpStream::connect(("127.0.0.1", port)).unwrap(), setting),
            value
        );
    }
    assert!(dir.join("data/ssl_crl_file").exists());

    drop(cluster);
    assert!(!dir.exists());
    assert!(vanishes(pid, &dir, Duration::from_secs(1)));
}

#[test]
fn a_stopped_or_killed_server_starts_again() {
    let cluster = Cluster::start().unwrap();
    let (port, first) = (cluster.port().unwrap(), cluster.postmaster_pid().unwrap());

    cluster.stop_immediate().unwrap();
    cluster.stop_immediate().unwrap();
    assert!(cluster.postmaster_pid().is_err());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());

    cluster.restart().unwrap();
    let second = cluster.postmaster_pid().unwrap();
    assert_ne!(first, second);
    signal(second, "KILL");
    cluster.restart().unwrap();
    assert_eq!(cluster.port(), Some(port));
    assert_eq!(
        ask(&mut TcpStream::connect(("127.0.0.1", port)).unwrap(), "port"),
        port.to_string()
    );

    // A frozen server ends too.
    let dir = cluster.socket_dir().unwrap().to_owned();
    let third = cluster.postmaster_pid().unwrap();
    signal(third, "STOP");
    drop(cluster);
    assert!(vanishes(third, &dir, Duration::from_secs(1)));
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let error = Cluster::start_with(&[("work_mem", "much")])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("invalid value for parameter \"work_mem\""),
        "{error}"
    );
    let error = Cluster::start_with(&[("work mem", "1MB")])
        .unwrap_err()
        .to_string();
    assert!(error.contains("malformed"), "{error}");
    let error = Cluster::start_with(&[("ssl_key_file", "/nowhere/server.key")])
        .unwrap_err()
        .to_string();
    assert!(error.contains("/nowhere/server.key"), "{error}");
}

#[test]
fn nothing_stays_behind_when_the_process_dies() {
    for end in ["own killed", "shared exits"] {
        let (mut child, pid, dir) = play(end, None);
        if end == "own killed" {
            child.kill().unwrap();
        }
        child.wait().unwrap();
        assert!(vanishes(pid, &dir, Duration::from_secs(5)), "{end}");
    }
}

#[test]
fn nothing_stays_behind_when_the_process_dies_while_starting() {
    for millis in [5, 50, 300] {
        let before = folders();
        let mut child = command("own killed", None).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(millis));
        child.kill().unwrap();
        let prefix = format!("orm-pg-{}-", child.id());
        child.wait().unwrap();
        let start = Instant::now();
        while folders()
            .iter()
            .any(|name| name.starts_with(&prefix) && !before.contains(name))
        {
            assert!(start.elapsed() < Duration::from_secs(5), "after {millis} ms");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn the_processes_of_a_run_share_one_server() {
    let run = format!("test-{}", std::process::id());
    let together: Vec<_> = (0..3)
        .map(|_| command("shared killed", Some(&run)).spawn().unwrap())
        .collect();
    let mut players: Vec<_> = together.into_iter().map(introduce).collect();
    let (_, pid, dir) = &players[0];
    let (pid, dir) = (*pid, dir.clone());
    assert!(players.iter().all(|(_, other, _)| *other == pid));

    for (child, ..) in &mut players {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // One that comes soon after the others finds the same server; one that finds it dead starts another.
    let (mut late, same, _) = play("shared killed", Some(&run));
    assert_eq!(same, pid);
    signal(pid, "KILL");
    assert!(vanishes(pid, Path::new("/nonexistent"), Duration::from_secs(5)));
    let (mut next, other, _) = play("shared exits", Some(&run));
    assert_ne!(other, pid);
    next.wait().unwrap();
    late.kill().unwrap();
    late.wait().unwrap();
    assert!(vanishes(other, &dir, Duration::from_secs(5)));
}

#[test]
fn the_server_of_the_environment_is_used_as_it_is() {
    let mut command = command("external", None);
    let child = command
        .env("ORM_TEST_POSTGRES_URL", "postgres://u:secret@db:7/old?a=b")
        .spawn()
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// Not a test of its own: what the processes do that the tests above start.
#[test]
fn role() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let own;
    let cluster = if role.starts_with("own") {
        own = Cluster::start().unwrap();
        &own
    } else {
        Cluster::shared().unwrap()
    };
    if role == "external" {
        assert_eq!(cluster.url("new"), "postgres://u:secret@db:7/new?a=b");
        assert_eq!((cluster.port(), cluster.socket_dir()), (None, None));
        assert!(cluster.stop_immediate().is_err() && !format!("{cluster:?}").contains("secret"));
        return;
    }
    assert_eq!(cluster.stop_immediate().is_err(), role.starts_with("shared"));
    if role.starts_with("own") {
        cluster.restart().unwrap();
    }
    println!(
        "\nserver {} {}",
        cluster.postmaster_pid().unwrap(),
        cluster.socket_dir().unwrap().display()
    );
    match role.rsplit(' ').next() {
        Some("exits") => std::process::exit(0),
        _ => std::thread::sleep(Duration::from_secs(60)),
    }
}

/// Starts a process of the given role and waits until its server runs.
fn play(role: &str, run: Option<&str>) -> (Child, u32, PathBuf) {
    introduce(command(role, run).spawn().unwrap())
}

fn command(role: &str, run: Option<&str>) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "role", "--nocapture"])
        .env(ROLE, role)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
        .env_remove("ORM_TEST_POSTGRES_URL")
        .env_remove("NEXTEST_RUN_ID");
    if let Some(run) = run {
        command.env("NEXTEST_RUN_ID", run);
    }
    command
}

/// Reads which server the process has: process id and folder.
fn introduce(mut child: Child) -> (Child, u32, PathBuf) {
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(["server", pid, dir]) = line.split(' ').collect::<Vec<_>>().get(..3) {
            return (child, pid.parse().unwrap(), PathBuf::from(dir));
        }
    }
    panic!("the process ended without a server");
}

fn vanishes(pid: u32, dir: &Path, within: Duration) -> bool {
    let start = Instant::now();
    while runs(pid) || dir.exists() {
        if start.elapsed() > within {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

/// Whether there is such a process; one that nobody has reaped yet does not count.
fn runs(pid: u32) -> bool {
    let zombie = std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    signal(pid, "0") && !zombie
}

fn signal(pid: u32, name: &str) -> bool {
    let kill = format!("kill -{name} {pid}");
    Command::new("/bin/sh")
        .args(["-c", &kill])
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}

fn folders() -> Vec<String> {
    let entries = std::fs::read_dir(std::env::temp_dir()).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

/// Logs in and returns the value of a server setting: the least of the protocol that proves a server.
fn ask<S: Read + Write>(stream: &mut S, setting: &str) -> String {
    let mut startup = Vec::from(196_608_i32.to_be_bytes());
    startup.extend_from_slice(b"user\0postgres\0database\0postgres\0\0");
    send(stream, None, &startup);
    while receive(stream).0 != b'Z' {}
    send(stream, Some(b'Q'), format!("show {setting}\0").as_bytes());
    loop {
        match receive(stream) {
            // Two bytes count the columns, four the bytes of the first.
            (b'D', row) => return String::from_utf8(row[6..].to_vec()).unwrap(),
            (b'E', error) => panic!("{}", String::from_utf8_lossy(&error)),
            _ => {}
        }
    }
}

fn send(stream: &mut impl Write, kind: Option<u8>, body: &[u8]) {
    let length = i32::try_from(body.len() + 4).unwrap();
    stream
        .write_all(&[kind.as_slice(), &length.to_be_bytes(), body].concat())
        .unwrap();
}

fn receive(stream: &mut impl Read) -> (u8, Vec<u8>) {
    let mut head = [0; 5];
    stream.read_exact(&mut head).unwrap();
    let length = i32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    let mut body = vec![0; usize::try_from(length).unwrap() - 4];
    stream.read_exact(&mut body).unwrap();
    (head[0], body)
}
