//! The program around the user's library: only that knows the models. A package of two files in the target folder, built
//! and run by cargo with the versions that the user's own lock file names.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::args::Common;
use crate::config::{Config, Settings, root};
use crate::reply::{Stop, unusable};

/// The folder of the project: that of the package that was named, else the current one.
pub(crate) fn folder(common: &Common) -> Result<PathBuf, Stop> {
    let here = std::env::current_dir().map_err(|e| unusable(Path::new("."), &e))?;
    match (&common.manifest_path, &common.package) {
        (None, None) => Ok(here),
        (Some(manifest), None) => {
            let folder = here.join(manifest);
            Ok(folder.parent().map_or(here, Path::to_path_buf))
        }
        (_, Some(_)) => Ok(Package::of(common, &here)?.folder),
    }
}

/// Builds the program and runs it with these arguments; its exit code.
pub(crate) fn run(common: &Common, settings: &Settings, args: &[OsString]) -> Result<u8, Stop> {
    let here = std::env::current_dir().map_err(|e| unusable(Path::new("."), &e))?;
    let package = Package::of(common, &here)?;
    package.check()?;
    let folder = package.target.join("orm").join(&package.name);
    package.write(&folder, common, settings)?;
    let program = build(&package, &folder)?;
    let ended = Command::new(&program)
        .args(args.iter().skip(1))
        .status()
        .map_err(|e| unusable(&program, &e))?;
    Ok(ended.code().and_then(|c| u8::try_from(c).ok()).unwrap_or(6))
}

/// For `doctor`: whether there is a library that may have models.
pub(crate) fn library(config: &Config) -> Result<String, Stop> {
    let package = Package::of(&Common::default(), &config.root)?;
    package.check()?;
    let schema = config.settings.schema.as_deref().unwrap_or("schema");
    Ok(format!(
        "{}::{schema} of package `{}`",
        package.library.unwrap_or_default(),
        package.name
    ))
}

/// What cargo says about the user's package.
struct Package {
    name: String,
    folder: PathBuf,
    /// The name of its library, if it has one.
    library: Option<String>,
    /// The folder of its workspace.
    workspace: PathBuf,
    target: PathBuf,
    /// Where its `orm` comes from, and with which features.
    orm: Option<Orm>,
}

struct Orm {
    version: String,
    /// As cargo names it; none for a path.
    source: Option<String>,
    folder: PathBuf,
    features: Vec<String>,
}

impl Package {
    fn of(common: &Common, here: &Path) -> Result<Self, Stop> {
        let mut command = cargo();
        command
            .args(["metadata", "--format-version", "1"])
            .current_dir(here);
        // without it, packages of other systems are fetched
        if let Some(system) = this_system() {
            command.args(["--filter-platform", &system]);
        }
        if let Some(manifest) = &common.manifest_path {
            command.arg("--manifest-path").arg(manifest);
        }
        if let Some(features) = &common.features {
            command.args(["--features", features]);
        }
        let done = command
            .stderr(Stdio::piped())
            .output()
            .map_err(|e| Stop::usage(format!("cargo cannot be started: {}", e.kind())))?;
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
            return Err(Stop::usage(format!("cargo cannot read the package: {said}")));
        }
        let metadata: Value = serde_json::from_slice(&done.stdout)
            .map_err(|e| Stop::usage(format!("cargo's metadata cannot be read: {e}")))?;
        read(&metadata, common, here)
    }

    /// A host needs a library with models, and an `orm`.
    fn check(&self) -> Result<(), Stop> {
        if self.library.is_none() {
            return Err(Stop::usage(format!(
                "package `{}` has no library: a program alone cannot hand out its models",
                self.name
            ))
            .help(
                "move the models to src/lib.rs, with `pub fn schema() -> orm::Schema { orm::schema![User] }`, and use \
                 them from src/main.rs; or host the command line in a program: `orm_cli::main(schema)`",
            ));
        }
        match self.orm {
            Some(_) => Ok(()),
            None => Err(Stop::usage(format!(
                "package `{}` does not depend on `orm`",
                self.name
            ))),
        }
    }

    /// Writes the package; what is there already as it should be keeps its time, so that nothing is built twice.
    fn write(&self, folder: &Path, common: &Common, settings: &Settings) -> Result<(), Stop> {
        let source = folder.join("src");
        fs::create_dir_all(&source).map_err(|e| unusable(&source, &e))?;
        put(&folder.join("Cargo.toml"), &self.manifest(common)?)?;
        put(&source.join("main.rs"), &self.program(settings)?)?;
        // the same versions as the user's own
        let lock = self.workspace.join("Cargo.lock");
        if let Ok(theirs) = fs::read_to_string(&lock) {
            let copied = folder.join("Cargo.lock.copied");
            if fs::read_to_string(&copied).ok().as_deref() != Some(&theirs) {
                put(&folder.join("Cargo.lock"), &theirs)?;
                put(&copied, &theirs)?;
            }
        }
        Ok(())
    }

    fn manifest(&self, common: &Common) -> Result<String, Stop> {
        let Some(orm) = &self.orm else {
            return Err(Stop::usage(format!(
                "package `{}` does not depend on `orm`",
                self.name
            )));
        };
        let mut cli = orm.beside()?;
        cli.insert("default-features".to_owned(), toml::Value::Boolean(false));
        // only what the user's own build has
        let wanted = orm.features.iter().filter(|f| FORWARDED.contains(&f.as_str()));
        cli.insert(
            "features".to_owned(),
            toml::Value::Array(wanted.cloned().map(toml::Value::String).collect()),
        );
        let mut app = toml::Table::new();
        app.insert("package".to_owned(), self.name.clone().into());
        app.insert("path".to_owned(), path(&self.folder).into());
        if let Some(features) = &common.features {
            let list = features.split([',', ' ']).filter(|f| !f.is_empty());
            app.insert(
                "features".to_owned(),
                toml::Value::Array(list.map(|f| f.to_owned().into()).collect()),
            );
        }
        let mut package = toml::Table::new();
        package.insert("name".to_owned(), self.program_name().into());
        package.insert("version".to_owned(), "0.0.0".into());
        package.insert("edition".to_owned(), "2024".into());
        package.insert("publish".to_owned(), false.into());
        let mut dependencies = toml::Table::new();
        dependencies.insert("app".to_owned(), app.into());
        dependencies.insert("orm-cli".to_owned(), cli.into());
        let mut manifest = toml::Table::new();
        manifest.insert("package".to_owned(), package.into());
        manifest.insert("dependencies".to_owned(), dependencies.into());
        manifest.insert("workspace".to_owned(), toml::Table::new().into());
        manifest.extend(self.inherited()?);
        let text = toml::to_string(&manifest).map_err(|e| Stop::usage(e.to_string()))?;
        Ok(format!("# Written by `cargo orm`.\n{text}"))
    }

    /// What holds for a whole workspace: profiles, so that dependencies are built once for both, and patches.
    fn inherited(&self) -> Result<toml::Table, Stop> {
        let manifest = self.workspace.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).map_err(|e| unusable(&manifest, &e))?;
        let all: toml::Table = toml::from_str(&text)
            .map_err(|e| Stop::usage(format!("`{}`: {}", manifest.display(), e.message())))?;
        let mut kept = toml::Table::new();
        for key in ["profile", "patch", "replace"] {
            if let Some(value) = all.get(key) {
                let mut value = value.clone();
                if key != "profile" {
                    absolute(&mut value, &self.workspace);
                }
                kept.insert(key.to_owned(), value);
            }
        }
        Ok(kept)
    }

    fn program(&self, settings: &Settings) -> Result<String, Stop> {
        let schema = function(settings.schema.as_deref().unwrap_or("schema"))?;
        let migrations = match &settings.migrations {
            Some(migrations) => format!(".migrations(app::{})", function(migrations)?),
            None => String::new(),
        };
        let folder = path(&self.folder);
        Ok(format!(
            "// Written by `cargo orm`.\nfn main() -> std::process::ExitCode {{\n    \
             orm_cli::Cli::new(app::{schema}){migrations}.folder({folder:?}).main()\n}}\n"
        ))
    }

    fn program_name(&self) -> String {
        format!("orm-of-{}", self.name)
    }
}

impl Orm {
    /// `orm-cli` from where this `orm` comes from.
    fn beside(&self) -> Result<toml::Table, Stop> {
        let mut table = toml::Table::new();
        let Some(source) = &self.source else {
            let folder = self.folder.join("orm-cli");
            if !folder.join("Cargo.toml").is_file() {
                return Err(Stop::usage(format!(
                    "there is no `orm-cli` beside the `orm` in {}",
                    self.folder.display()
                )));
            }
            table.insert("path".to_owned(), path(&folder).into());
            return Ok(table);
        };
        table.insert("version".to_owned(), format!("={}", self.version).into());
        if let Some(git) = source.strip_prefix("git+") {
            let (git, revision) = git.split_once('#').unwrap_or((git, ""));
            let git = git.split_once('?').map_or(git, |(git, _)| git);
            table.insert("git".to_owned(), git.into());
            if !revision.is_empty() {
                table.insert("rev".to_owned(), revision.into());
            }
        }
        Ok(table)
    }
}

/// Features of `orm` that `orm-cli` has by the same name.
const FORWARDED: [&str; 4] = [
    "postgres",
    "sqlite",
    "tls-rustls-ring-native-roots",
    "tls-rustls-ring-webpki",
];

fn read(metadata: &Value, common: &Common, here: &Path) -> Result<Package, Stop> {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let empty = Vec::new();
    let packages = metadata["packages"].as_array().unwrap_or(&empty);
    let members = metadata["workspace_members"].as_array().unwrap_or(&empty);
    let of_workspace = |p: &&Value| members.contains(&p["id"]);
    let folder_of = |p: &Value| {
        let manifest = PathBuf::from(text(p, "manifest_path"));
        manifest.parent().map(Path::to_path_buf).unwrap_or_default()
    };
    let found = match &common.package {
        Some(name) => packages
            .iter()
            .filter(of_workspace)
            .find(|p| text(p, "name") == *name),
        None => {
            let manifest = common.manifest_path.as_ref().map(|m| here.join(m));
            let near = manifest
                .as_deref()
                .and_then(Path::parent)
                .map_or_else(|| root_of_package(here), Path::to_path_buf);
            packages.iter().find(|p| same(&folder_of(p), &near))
        }
    };
    let Some(found) = found else {
        let mut names: Vec<String> = packages
            .iter()
            .filter(of_workspace)
            .map(|p| text(p, "name"))
            .collect();
        names.sort();
        return Err(Stop::usage("it is not said which package has the models")
            .help(format!("`--package` is one of: {}", names.join(", "))));
    };
    let library = |target: &&Value| {
        let kinds = target["kind"].as_array().unwrap_or(&empty);
        kinds
            .iter()
            .any(|k| matches!(k.as_str(), Some("lib" | "rlib" | "dylib")))
    };
    let targets = found["targets"].as_array().unwrap_or(&empty);
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap_or(&empty);
    let node = |id: &Value| nodes.iter().find(|n| n["id"] == *id);
    let needed = node(&found["id"])
        .and_then(|n| n["dependencies"].as_array())
        .unwrap_or(&empty);
    let is_orm = |p: &&Value| p["name"] == "orm" && needed.contains(&p["id"]);
    let orm = packages.iter().find(is_orm).map(|orm| Orm {
        version: text(orm, "version"),
        source: orm["source"].as_str().map(str::to_owned),
        folder: folder_of(orm),
        features: node(&orm["id"])
            .and_then(|n| n["features"].as_array())
            .unwrap_or(&empty)
            .iter()
            .filter_map(|f| f.as_str().map(str::to_owned))
            .collect(),
    });
    Ok(Package {
        name: text(found, "name"),
        folder: folder_of(found),
        library: targets
            .iter()
            .find(library)
            .map(|t| text(t, "name").replace('-', "_")),
        workspace: PathBuf::from(text(metadata, "workspace_root")),
        target: PathBuf::from(text(metadata, "target_directory")),
        orm,
    })
}

/// The folder of the nearest `Cargo.toml`.
fn root_of_package(here: &Path) -> PathBuf {
    let has = |f: &&Path| f.join("Cargo.toml").is_file();
    here.ancestors()
        .find(has)
        .map_or_else(|| root(here), Path::to_path_buf)
}

fn same(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

fn build(package: &Package, folder: &Path) -> Result<PathBuf, Stop> {
    let mut command = cargo();
    command
        .args([
            "build",
            "--message-format",
            "json-render-diagnostics",
            "--manifest-path",
        ])
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&package.target)
        .stdout(Stdio::piped());
    if !std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        command.arg("--quiet");
    }
    let failed = |e: std::io::Error| Stop::usage(format!("cargo cannot be started: {}", e.kind()));
    let mut running = command.spawn().map_err(failed)?;
    let mut program = None;
    if let Some(out) = running.stdout.take() {
        for line in BufReader::new(out).lines() {
            let message: Value = serde_json::from_str(&line.map_err(failed)?).unwrap_or(Value::Null);
            if message["reason"] == "compiler-artifact"
                && message["target"]["name"] == package.program_name()
                && let Some(path) = message["executable"].as_str()
            {
                program = Some(PathBuf::from(path));
            }
        }
    }
    let ended = running.wait().map_err(failed)?;
    match program.filter(|_| ended.success()) {
        Some(program) => Ok(program),
        None => Err(Stop::usage(format!("the library of `{}` cannot be used, see above", package.name)).help(
            "it needs `pub fn schema() -> orm::Schema { orm::schema![User] }` at its root; `schema = \"db::schema\"` in \
             orm.toml names another place",
        )),
    }
}

/// The target that rustc builds for here.
fn this_system() -> Option<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let done = Command::new(rustc).arg("-vV").output().ok()?;
    let said = String::from_utf8(done.stdout).ok()?;
    said.lines()
        .find_map(|l| l.strip_prefix("host: "))
        .map(str::to_owned)
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Writes a file, if it has another text.
fn put(file: &Path, text: &str) -> Result<(), Stop> {
    if fs::read_to_string(file).ok().as_deref() == Some(text) {
        return Ok(());
    }
    fs::write(file, text).map_err(|e| unusable(file, &e))
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

/// A path of a function, as it may stand in source.
fn function(name: &str) -> Result<&str, Stop> {
    let word = |part: &str| {
        let part = part.strip_prefix("r#").unwrap_or(part);
        part.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
            && part.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
    };
    match name.split("::").all(word) {
        true => Ok(name),
        false => Err(Stop::usage(format!(
            "`{name}` in orm.toml is no path of a function: `db::schema`"
        ))),
    }
}

/// Paths in patches, which are relative to the workspace.
fn absolute(value: &mut toml::Value, folder: &Path) {
    let toml::Value::Table(table) = value else {
        return;
    };
    for (key, value) in table {
        match value {
            toml::Value::String(text) if key == "path" => *text = path(&folder.join(&*text)),
            other => absolute(other, folder),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use crate::host::{Orm, function};

    fn from(source: Option<&str>) -> String {
        let orm = Orm {
            version: "0.1.0".to_owned(),
            source: source.map(str::to_owned),
            folder: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".."),
            features: Vec::new(),
        };
        toml::to_string(&orm.beside().unwrap()).unwrap()
    }

    #[test]
    fn the_command_line_comes_from_where_the_library_does() {
        let registry = "registry+https://github.com/rust-lang/crates.io-index";
        assert_eq!(from(Some(registry)), "version = \"=0.1.0\"\n");
        let git = from(Some("git+https://example.org/orm?branch=main#0123abcd"));
        assert!(git.contains("git = \"https://example.org/orm\"\n") && git.contains("rev = \"0123abcd\"\n"));
        assert!(from(None).starts_with("path = "));
    }

    #[test]
    fn paths_of_functions() {
        assert!(function("schema").is_ok() && function("db::r#mod::schema").is_ok());
        for bad in ["", "a b", "a::", "1a", "f()", "a-b", "x; panic!()"] {
            assert!(function(bad).is_err(), "{bad}");
        }
    }
}
