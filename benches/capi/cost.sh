#!/bin/sh
# What an event costs from C and C++, in instructions, against Rust and against what C++ programs write
# today. The budget is 1.25 times Rust's; exit status 1 where a ceiling is broken, which is for what was
# reached. Needs valgrind, g++ and
# nlohmann-json3-dev; yyjson is counted where its header is there (Debian 12 has no package).
#
#     benches/capi/cost.sh STAGE      STAGE: what ffi-examples/stage made
set -eu
stage=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
events=20000

cargo bench --quiet --bench deltas --no-run 2>"$tmp/build" || { cat "$tmp/build" >&2; exit 2; }
rust=$(cargo bench --bench deltas --no-run 2>&1 | sed -n 's|.*Executable benches/deltas.rs (\(.*\))$|\1|p')
"$rust" print "$events" >"$tmp/stream"
yyjson=
echo '#include <yyjson.h>' | g++ -E -x c++ - >/dev/null 2>&1 && yyjson=-lyyjson
g++ -std=c++17 -O2 -I"$stage/include" -o "$tmp/bench" benches/capi/bench.cpp \
    -L"$stage/lib" -Wl,-rpath,"$stage/lib" -ldeltawire $yyjson

# count NAME PROGRAM...: instructions an event within `measured…`.
count() {
    name=$1
    shift
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*measured*' \
        --log-file="$tmp/log" "$@" <"$tmp/stream" >"$tmp/$name.out"
    awk -v events=$events '/Collected :/ { printf "%.1f", $4 / events }' "$tmp/log" >"$tmp/$name"
}
status=0
echo "| instructions an event | 16 KiB pieces | against Rust | one event a piece | against Rust |"
echo "|---|---|---|---|---|"
for how in rust c cpp batch yyjson nlohmann; do
    line="| $how |"
    for chunk in 16384 0; do
        if [ $how = yyjson ] && [ -z "$yyjson" ]; then
            line="$line SKIPPED | |"
            continue
        fi
        if [ $how = rust ]; then
            count "$how-$chunk" "$rust" events $events $chunk
        else
            count "$how-$chunk" "$tmp/bench" $how $chunk
        fi
        ratio=$(awk "BEGIN { printf \"%.2f\", $(cat "$tmp/$how-$chunk") / $(cat "$tmp/rust-$chunk") }")
        line="$line $(cat "$tmp/$how-$chunk") | $ratio |"
        ceiling=1.27
        case $how in c | cpp)
            awk "BEGIN { exit !($ratio > 1.25) }" && line="${line% |}, over |"
            awk "BEGIN { exit !($ratio > $ceiling) }" && status=1 && line="${line% |}, ABOVE ITS CEILING $ceiling |"
            ;;
        esac
    done
    echo "$line"
done
# All read the same.
tail -qn 1 "$tmp"/*.out | sed 's/.*, \([0-9]* deltas\)/\1/' | sort | uniq -c
exit $status
