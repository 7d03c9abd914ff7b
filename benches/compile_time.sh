#!/usr/bin/env bash
# How long does a crate with many models take to compile? Writes such a crate into a temporary folder and times it:
# dependencies once, then the crate alone (check, dev build), then a check after one function was added.
#
#   benches/compile_time.sh [MODELS=50] [COLUMNS=10]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
models="${1:-50}"
columns="${2:-10}"
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/src"

cat >"$dir/Cargo.toml" <<EOF
[package]
name = "many-models"
version = "0.0.0"
edition = "2024"
[dependencies]
orm = { path = "$root" }
[workspace]
EOF
cp "$root/Cargo.lock" "$dir/Cargo.lock"

{
    echo '#![allow(dead_code)]'
    echo 'use orm::prelude::*;'
    for ((i = 0; i < models; i++)); do
        # two relations a model: a ring through all of them, and the way back
        next=$(((i + 1) % models))
        previous=$(((i + models - 1) % models))
        echo "#[derive(Model, Clone, Debug)]"
        echo "#[has_many(items: M$previous, by = next_id)]"
        echo "pub struct M$i {"
        echo "    pub id: Id<M$i>,"
        echo "    #[belongs_to(next: M$next)] pub next_id: Id<M$next>,"
        for ((c = 2; c < columns; c++)); do
            case $((c % 4)) in
                0) echo "    pub c$c: String," ;;
                1) echo "    pub c$c: Option<String>," ;;
                2) echo "    pub c$c: i64," ;;
                3) echo "    pub c$c: bool," ;;
            esac
        done
        echo "}"
        echo "pub async fn find_$i(db: &Db, n: i64) -> orm::Result<Vec<M$i>> {"
        echo "    M$i::query().filter(|m| m.c2.gt(n).and(m.items.any(|x| x.c3))).order_by(|m| m.id.desc()).limit(10).all(db).await"
        echo "}"
        echo "pub async fn add_$i(db: &Db, m: M$i) -> orm::Result<M$i> { m.update().set(|m| m.c2.to(m.c2 + 1)).save(db).await }"
    done
} >"$dir/src/lib.rs"

seconds() {
    local start end
    start=$(date +%s.%N)
    "$@" >/dev/null 2>&1
    end=$(date +%s.%N)
    awk -v a="$start" -v b="$end" 'BEGIN { printf "%.2f s", b - a }'
}

cd "$dir"
export CARGO_TARGET_DIR="$dir/target"
echo "$models models, $columns columns, 2 relations and 2 functions each"
echo "dependencies and crate, check: $(seconds cargo check)"
touch src/lib.rs && rm -rf target/debug/incremental
echo "crate alone, check:            $(seconds cargo check)"
echo 'pub fn added(x: i64) -> i64 { x + 1 }' >>src/lib.rs
echo "one function added, check:     $(seconds cargo check)"
cargo build >/dev/null 2>&1
touch src/lib.rs && rm -rf target/debug/incremental
echo "crate alone, dev build:        $(seconds cargo build)"
echo 'pub fn added_too(x: i64) -> i64 { x + 2 }' >>src/lib.rs
echo "one function added, dev build: $(seconds cargo build)"
