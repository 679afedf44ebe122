#!/bin/sh
# Measures everything again: benches/results.tsv, benches/comparison.svg and the tables of
# benches/README.md are made anew.
#
#     benches/run.sh            about six minutes; wants a quiet machine
#     benches/run.sh counts     without criterion's times, two minutes
#
# Needs valgrind, and the recorded streams in ../shared/corpus.
set -eu
cd "$(dirname "$0")/.."
mode=${1:-}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export LC_ALL=C
new=$tmp/results.tsv

cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2> /dev/null | sort -u | head -1)
tab=$(printf '\t')
{
    echo "# machine: ${cpu:-$(uname -m)}, $(nproc) cores, $(uname -s)"
    echo "# commit: $(git rev-parse --short HEAD)$(git diff --quiet HEAD -- src Cargo.lock || echo ' and changes')"
    echo "# compiler: $(rustc --version | cut -d ' ' -f 1,2)"
    echo "# command: benches/run.sh${mode:+ $mode, times from an earlier run}"
} > "$new"

echo "budgets" >&2
# A broken ceiling is in the table.
sh benches/budgets.sh > "$tmp/budgets" || [ $? = 1 ]
# Three tables with a head each: budgets, cold starts, recorded streams on new threads.
awk -F ' *[|] *' -v OFS='\t' '
    /^[|]---/ || NF < 3 { next }
    /^[|] an event is/ { table = "budget"; next }
    /^[|] cold start/ { table = "cold"; columns = split($0, head, / *[|] */); next }
    /^[|] recorded streams, a new/ { table = "fresh"; columns = split($0, head, / *[|] */); next }
    table == "budget" { print table, $2, $3, $4, $5; next }
    { for (n = 3; n < columns; n++) print table, $2, head[n], $n, "" }
' "$tmp/budgets" >> "$new"

echo "peers" >&2
cargo bench --bench peers --bench deltas --bench chart --no-run 2> "$tmp/build" || { cat "$tmp/build" >&2; exit 2; }
bench() { sed -n "s|.*Executable benches/$1.rs (\(.*\))\$|\1|p" "$tmp/build"; }
peers=$(bench peers)
events=2000
"$peers" list > "$tmp/list"
while IFS="$tab" read -r name yields; do
    for chunk in 16384 0 1024 64; do
        case $chunk in
            16384) column="16 KiB pieces" ;;
            0) column="one event a piece" ;;
            1024) column="1 KiB pieces" ;;
            64) column="64-byte pieces" ;;
        esac
        valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*measured*' \
            --log-file="$tmp/log" "$peers" "$name" $events $chunk > "$tmp/out"
        awk -v events=$events -v row="peers$tab$name$tab$column$tab" \
            '/Collected/ { printf "%s%.0f\tinstructions an event\n", row, $NF / events }' "$tmp/log" >> "$new"
        if [ $chunk = 0 ]; then sed 's/ .*//' "$tmp/out" > "$tmp/allocations"; fi
    done
    printf 'peers\t%s\tallocations\t%.1f\tan event\n' "$name" "$(cat "$tmp/allocations")" >> "$new"
    printf 'peers\t%s\tyields\t%s\t\n' "$name" "$yields" >> "$new"
done < "$tmp/list"
# C++ programs, if simdjson is installed.
if echo '#include <simdjson.h>' | g++ -E -x c++ - > /dev/null 2>&1; then
    g++ -std=c++17 -O3 -DNDEBUG -o "$tmp/simdjson" benches/peers/simdjson.cpp -lsimdjson
    "$(bench deltas)" print $events random > "$tmp/random"
    for how in "one path" "all fields"; do
        name="C++ simdjson On-Demand, $how"
        for column in "16384 16 KiB pieces" "0 one event a piece" "1024 1 KiB pieces" "64 64-byte pieces"; do
            valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*measured*' \
                --log-file="$tmp/log" "$tmp/simdjson" "$tmp/random" "${how% *}" "${column%% *}" > "$tmp/out"
            awk -v events=$events -v row="peers$tab$name$tab${column#* }$tab" \
                '/Collected/ { printf "%s%.0f\tinstructions an event\n", row, $NF / events }' "$tmp/log" >> "$new"
        done
        printf 'peers\t%s\tyields\tlines by memchr; unescaped text in the parser, checked as far as read\t\n' "$name" >> "$new"
    done
else
    echo "SKIPPED: C++ simdjson, which needs g++ and libsimdjson-dev" >&2
fi

echo "shares" >&2
"$(bench deltas)" shares > "$tmp/shares"
awk -F '\t' -v OFS='\t' 'NR == 1 { split($0, head); next } NF < 5 { exit } {
    for (n = 2; n <= NF; n++) print "share", $1, (n == 5 ? "of these " : "") head[n], $n, ""
}' "$tmp/shares" >> "$new"

if [ "$mode" = counts ]; then
    # What is there stays.
    grep "^time$tab" benches/results.tsv >> "$new" || :
else
    echo "times" >&2
    # Results of benches that are no more would be taken for new ones.
    rm -rf "${CARGO_TARGET_DIR:-target}/criterion"
    cargo bench --bench compare > "$tmp/compare" 2>&1 || { cat "$tmp/compare" >&2; exit 2; }
    "$(bench chart)" times >> "$new"
fi
mv "$new" benches/results.tsv
"$(bench chart)" write
cat "$tmp/budgets"
