//! Mistakes and the messages they get. The texts are rustc's own in part, so they hold for the pinned compiler and
//! are checked with no other: `TRYBUILD=overwrite cargo test --test ui` writes them anew.

use std::process::Command;

/// The compiler whose messages the `.stderr` files hold.
const PINNED: &str = "rustc 1.95.";

#[test]
fn mistakes() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("rustc runs");
    let version = String::from_utf8_lossy(&version.stdout);
    if !version.starts_with(PINNED) {
        println!("skipped: the messages are those of {PINNED}x, and this is {version}");
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/attr/*.rs");
    cases.compile_fail("tests/ui/query/*.rs");
}
