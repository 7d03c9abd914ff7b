//! Where the database of an application belongs on this operating system.

use std::ffi::OsString;
use std::path::PathBuf;

use orm_core::error::{Error, Result};

/// The file for the database `name` of the application `app`, in the folder the operating system has for such data. The
/// folder is created.
///
/// - Windows: `%LOCALAPPDATA%\app\name.db`
/// - macOS: `~/Library/Application Support/app/name.db`
/// - others: `$XDG_DATA_HOME/app/name.db`, or `~/.local/share/app/name.db`
///
/// # Errors
/// `Config` when a name is not a plain file name or the environment names no home, `Connect` when the folder cannot be
/// created.
pub fn sqlite_path(app: &str, name: &str) -> Result<PathBuf> {
    let system = if cfg!(windows) {
        System::Windows
    } else if cfg!(target_os = "macos") {
        System::Mac
    } else {
        System::Xdg
    };
    let path = place(system, app, name, |variable| std::env::var_os(variable))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| {
            let text = format!(
                "the folder `{}` cannot be created: {}",
                folder.display(),
                e.kind()
            );
            Error::new(orm_core::error::ErrorKind::Connect, text)
        })?;
    }
    Ok(path)
}

#[derive(Clone, Copy)]
enum System {
    Windows,
    Mac,
    Xdg,
}

fn place(system: System, app: &str, name: &str, env: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf> {
    for part in [app, name] {
        let plain = !part.is_empty()
            && part != "."
            && part != ".."
            && !part.chars().any(|c| matches!(c, '/' | '\\' | ':' | '\0'));
        if !plain {
            return Err(Error::config(
                "the names of application and database are plain file names",
            ));
        }
    }
    let folder = |variable: &str| env(variable).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = match system {
        System::Windows => folder("LOCALAPPDATA"),
        System::Mac => folder("HOME").map(|home| home.join("Library").join("Application Support")),
        // A relative XDG folder is to be ignored, says its specification.
        System::Xdg => folder("XDG_DATA_HOME")
            .filter(|p| p.is_absolute())
            .or_else(|| folder("HOME").map(|home| home.join(".local").join("share"))),
    };
    let Some(base) = base else {
        return Err(Error::config(
            "the environment names no folder for the user's data",
        ));
    };
    let file = if name.ends_with(".db") {
        name.to_owned()
    } else {
        format!("{name}.db")
    };
    Ok(base.join(app).join(file))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

    use crate::path::{System, place};

    fn env<'e>(pairs: &'e [(&'e str, &'e str)]) -> impl Fn(&str) -> Option<OsString> + 'e {
        move |name| {
            pairs
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| OsString::from(v))
        }
    }

    #[test]
    fn each_system_has_its_folder() {
        let windows = [
            ("LOCALAPPDATA", "C:\\Users\\me\\AppData\\Local"),
            ("HOME", "/wrong"),
        ];
        let path = place(System::Windows, "notes", "main", env(&windows)).unwrap();
        assert_eq!(
            path,
            Path::new("C:\\Users\\me\\AppData\\Local")
                .join("notes")
                .join("main.db")
        );
        let mac = place(System::Mac, "notes", "main.db", env(&[("HOME", "/Users/me")])).unwrap();
        assert_eq!(
            mac,
            Path::new("/Users/me/Library/Application Support/notes/main.db")
        );
        let xdg = [("XDG_DATA_HOME", "/data"), ("HOME", "/home/me")];
        assert_eq!(
            place(System::Xdg, "notes", "main", env(&xdg)).unwrap(),
            Path::new("/data/notes/main.db")
        );
        for home in [
            &[("XDG_DATA_HOME", ""), ("HOME", "/home/me")][..],
            &[("XDG_DATA_HOME", "data"), ("HOME", "/home/me")],
        ] {
            let path = place(System::Xdg, "notes", "main", env(home)).unwrap();
            assert_eq!(path, Path::new("/home/me/.local/share/notes/main.db"));
        }
    }
    #[test]
    fn names_are_no_paths() {
        for (app, name) in [
            ("", "a"),
            ("a", ""),
            ("..", "a"),
            ("a", "../b"),
            ("a/b", "c"),
            ("a", "c:d"),
        ] {
            assert!(
                place(System::Xdg, app, name, env(&[("HOME", "/home/me")])).is_err(),
                "{app} {name}"
            );
        }
        assert!(place(System::Xdg, "a", "b", env(&[])).is_err());
    }
}
