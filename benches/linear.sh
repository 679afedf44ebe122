#!/bin/sh
# Counts the instructions of the framing with callgrind and holds them against their budgets:
#
#     benches/linear.sh            about three minutes on two cores
#     benches/linear.sh quick      the events only, a few seconds
#
# Needs valgrind. Exit status 1 where a budget is broken. Instructions do not depend on the load of the
# machine; those of memchr depend on its SIMD (AVX2 under valgrind on x86-64).
set -eu
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

linear=$(cargo bench --bench linear --no-run 2>&1 | tee "$tmp/build" | sed -n 's/.*Executable.*(\(.*\))$/\1/p')
[ -x "$linear" ] || { cat "$tmp/build" >&2; exit 2; }

# Runs one case; its count lands in $tmp/<case>, spaces as underscores.
cat > "$tmp/count" <<'SH'
#!/bin/sh
set -eu
linear=$1 tmp=$2
shift 2
name=$(echo "$*" | tr ' ' _)
valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*measured*' \
    "$linear" "$@" 2>&1 | sed -n 's/.*Collected : //p' > "$tmp/$name"
SH
chmod +x "$tmp/count"

count=20000
mib=1048576
shapes="one-line many-lines lines-and-comments ids comments cr"
cases() {
    for chunk in 16384 0 64; do
        echo "events $count $chunk"
        echo "events $count $chunk memory"
    done
    [ "${1:-}" = quick ] && return
    for shape in $shapes; do
        for size in 8 4 2 1; do
            for chunk in 1 64 whole; do echo "$shape $((size * mib)) $chunk"; done
        done
    done
}
cases "${1:-}" | xargs -P 2 -L 1 "$tmp/count" "$linear" "$tmp"

status=0
# row WHAT BUDGET MEASURED
row() {
    verdict=ok
    awk "BEGIN { exit !($3 > $2) }" && { verdict=over; status=1; }
    printf '| %-52s | %8s | %8s | %s |\n' "$1" "$2" "$3" "$verdict"
}
quotient() { awk "BEGIN { printf \"%.$3f\", $1 / $2 }"; }

printf '| %-52s | %8s | %8s | %s |\n' "instructions" budget measured verdict
echo "|---|---|---|---|"
for carry in "" _memory; do
    name="an event of 326 bytes${carry:+, fixed memory}"
    row "$name, 16 KiB pieces" 330 "$(quotient "$(cat "$tmp/events_${count}_16384$carry")" $count 1)"
    row "$name, one event a piece" 360 "$(quotient "$(cat "$tmp/events_${count}_0$carry")" $count 1)"
    row "$name, 64-byte pieces" 1000 "$(quotient "$(cat "$tmp/events_${count}_64$carry")" $count 1)"
done
[ "${1:-}" = quick ] && exit $status

# The whole line is read where it lies; in pieces it is copied once.
cut=$(cat "$tmp/one-line_$((4 * mib))_64")
whole=$(cat "$tmp/one-line_$((4 * mib))_whole")
echo
echo "one event of 4 MiB: $whole instructions whole, $cut in 64-byte pieces ($(quotient "$cut" "$whole" 1) times)"
row "a byte of it in 64-byte pieces" 4 "$(quotient "$cut" $((4 * mib)) 2)"
echo
for shape in $shapes; do
    for chunk in 1 64 whole; do
        for size in 1 2 4; do
            small=$(cat "$tmp/${shape}_$((size * mib))_$chunk")
            large=$(cat "$tmp/${shape}_$((2 * size * mib))_$chunk")
            row "$shape, pieces of $chunk, $((2 * size)) MiB against $size" 2.3 "$(quotient "$large" "$small" 2)"
        done
    done
done
exit $status
