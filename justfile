# The commands of .ci/run, one by one. `just check` runs them all.

export CI := env_var_or_default("CI", "true")

# All gates, as in CI.
check: fmt clippy doc test tls

fmt:
    cargo fmt --check

clippy:
    cargo clippy --workspace --exclude peers --all-targets -- -D warnings

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps -p orm -p orm-cli -p orm-core -p orm-derive -p orm-migrate -p orm-postgres -p orm-sqlite

test:
    cargo test

# Encrypted connections, which take a feature.
tls:
    cargo test -p orm-postgres --features tls-rustls-ring-webpki --test driver tls::

# Licences, sources and duplicate versions; needs cargo-deny.
deny:
    cargo deny check bans licenses sources

# The example over real data.
run:
    cargo run --example chinook

# How fast it is beside other libraries: `just speed postgres`.
speed backend="sqlite":
    cargo run --release -p peers -- --backend {{backend}}

# What would be published.
package:
    cargo package --workspace --exclude peers
