#!/bin/sh
# Looks for the stream for which trying templates costs most, in instructions:
#
#     benches/worst.sh [STEPS]     about a minute with the default number of steps
#
# Prints `worst`, its ratio and its recipe, then a table of the worst ones. Needs valgrind.
set -eu
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cargo bench --bench worst --no-run 2> "$tmp/build" || { cat "$tmp/build" >&2; exit 2; }
worst=$(sed -n 's|.*Executable benches/worst.rs (\(.*\))$|\1|p' "$tmp/build")
# Callgrind writes a file behind every call of `measured`, which the bench reads and removes.
valgrind --tool=callgrind --callgrind-out-file="$tmp/out" --toggle-collect='*measured*' \
    --dump-after='worst::measured*' --log-file="$tmp/log" "$worst" "$tmp/out" "$@"
