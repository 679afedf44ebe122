#!/bin/sh
# Holds the library against its budgets and prints a table of them:
#
#     benches/budgets.sh           all but the last of these, about two minutes
#     benches/budgets.sh quick     fewer rounds of what is timed, no search for the worst case
#     benches/budgets.sh linear    besides, that the framing's work grows with the bytes alone, however
#                                  they are cut
#     benches/budgets.sh record    writes what was counted, with a margin, to benches/ceilings.tsv
#
# Instructions are counted with callgrind, which the load of the machine does not touch. Exit status 1
# where one of benches/ceilings.tsv is broken: ceilings are for what was reached, budgets for what was
# promised. Times and shares are printed and break nothing. Needs valgrind; the recorded streams are
# looked for in ../shared/corpus. Instructions of memchr and simd-json depend on the SIMD that valgrind
# finds (AVX2 on x86-64).
set -eu
cd "$(dirname "$0")/.."
mode=${1:-}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
ceilings=benches/ceilings.tsv

# Builds benches; the path of each lands in $tmp/<bench>.
build() {
    benches=""
    for bench; do benches="$benches --bench $bench"; done
    # shellcheck disable=SC2086
    cargo bench $benches --no-run 2> "$tmp/build" || { cat "$tmp/build" >&2; exit 2; }
    for bench; do
        sed -n "s|.*Executable benches/$bench.rs (\(.*\))\$|\1|p" "$tmp/build" > "$tmp/$bench"
    done
}
build linear deltas times

# Counts one case, `NAME BENCH ARGUMENTS`: the instructions land in $tmp/NAME.count, what the bench
# prints in $tmp/NAME.out.
cat > "$tmp/count" <<'SH'
#!/bin/sh
set -eu
tmp=$1 name=$2 bench=$3
shift 3
valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*measured*' \
    --log-file="$tmp/$name.log" "$(cat "$tmp/$bench")" "$@" > "$tmp/$name.out"
sed -n 's/.*Collected : //p' "$tmp/$name.log" > "$tmp/$name.count"
SH
chmod +x "$tmp/count"
count() { cat "$tmp/$1.count"; }
calc() { awk "BEGIN { printf \"%.$2f\", $1 }"; }

events=20000
mib=1048576
shapes="one-line many-lines lines-and-comments ids comments cr"
many="choices calls same-index members items"
cases() {
    for chunk in 16384 0 64; do
        echo "framing-$chunk linear events $events $chunk"
        echo "framing-$chunk-memory linear events $events $chunk memory"
        echo "hit-$chunk deltas events $events $chunk"
    done
    echo "hit-1024 deltas events $events 1024"
    echo "escaped deltas escaped $events 16384"
    echo "miss deltas events $events 16384 off"
    echo "shapes deltas shapes $events 16384"
    echo "shapes-off deltas shapes $events 16384 off"
    if [ -d ../shared/corpus ]; then
        for dialect in all openai-chat; do
            echo "corpus-$dialect deltas corpus $dialect 16384"
        done
    fi
    for kind in $many; do
        for count in 32000 16000 8000; do
            echo "many-$kind-$count deltas many $kind $count"
        done
    done
    [ "$mode" = linear ] || return 0
    for shape in $shapes; do
        for size in 8 4 2 1; do
            for chunk in 1 64 whole; do
                echo "$shape-$size-$chunk linear $shape $((size * mib)) $chunk"
            done
        done
    done
}
cases | xargs -P 2 -L 1 "$tmp/count" "$tmp"
# shellcheck disable=SC2046,SC2086
"$(cat "$tmp/times")" $([ "$mode" = quick ] && echo quick) > "$tmp/times.out"
[ ! -d ../shared/corpus ] || "$(cat "$tmp/deltas")" shares > "$tmp/shares.out"
[ "$mode" = quick ] || sh benches/worst.sh > "$tmp/worst.out"

status=0
: > "$tmp/recorded"
# row NAME WHAT BUDGET MEASURED: `NAME` is looked up in the ceilings; a budget of `-` is none, one
# with a `>` in front a floor.
row() {
    verdict=ok
    case $3 in
        -) verdict= ;;
        '>'*) awk "BEGIN { exit !($4 < ${3#>}) }" && verdict=under ;;
        *) awk "BEGIN { exit !($4 > $3) }" && verdict=over ;;
    esac
    ceiling=$(awk -F '\t' -v name="$1" '$1 == name { print $2 }' $ceilings)
    if [ -n "$ceiling" ] && awk "BEGIN { exit !($4 > $ceiling) }"; then
        verdict="$verdict, ABOVE ITS CEILING $ceiling"
        status=1
    fi
    printf '| %-62s | %7s | %9s | %s |\n' "$2" "$3" "$4" "$verdict"
}
# counted NAME WHAT BUDGET PER DECIMALS: a row of instructions, which may have a ceiling.
counted() {
    measured=$(calc "$(count "$1") / $4" "$5")
    printf '%s\t%s\n' "$1" "$measured" >> "$tmp/recorded"
    row "$1" "$2" "$3" "$measured"
}
timed() {
    row "$1" "$2" "$3" "$(awk -F '\t' -v name="$1" '$1 == name { print $2 }' "$tmp/times.out")"
    awk -F '\t' -v name="$1" '$1 == name { print "|     " $3 " | | | |" }' "$tmp/times.out"
}
skipped() { printf '| %-62s | %7s | %9s | %s |\n' "$1" "$2" - SKIPPED; }

printf '| %-62s | %7s | %9s | %s |\n' "an event is 326 bytes of OpenAI chat" budget measured verdict
echo "|---|---|---|---|"
for carry in "" -memory; do
    what="instructions: framing${carry:+ in fixed memory}"
    counted "framing-16384$carry" "$what, an event, 16 KiB pieces" 330 $events 1
    counted "framing-0$carry" "$what, an event, one event a piece" 360 $events 1
    counted "framing-64$carry" "$what, an event, 64-byte pieces" 1000 $events 1
done
counted hit-16384 "instructions: deltas, an event, 16 KiB pieces" 420 $events 1
counted hit-0 "instructions: deltas, an event, one event a piece" 480 $events 1
counted hit-1024 "instructions: deltas, an event, 1 KiB pieces" - $events 1
counted hit-64 "instructions: deltas, an event, 64-byte pieces" - $events 1
counted escaped "instructions: deltas, an event full of escapes" - $events 1
counted miss "instructions: deltas, an event, templates off" 5500 $events 1
counted shapes "instructions: deltas, an event, never two of a shape" - $events 1
row shapes-ratio "  the same against templates off" 1.05 \
    "$(calc "$(count shapes) / $(count shapes-off)" 3)"
if [ -d ../shared/corpus ]; then
    bytes() { sed 's/ .*//' "$tmp/$1.out"; }
    share() { awk -F '\t' -v dialect="$1" '$1 == dialect { print $5 + 0; exit }' "$tmp/shares.out"; }
    counted corpus-all "instructions: a byte of all recorded text streams" 6 "$(bytes corpus-all)" 2
    counted corpus-openai-chat "instructions: a byte of all recorded OpenAI chat streams" 3 \
        "$(bytes corpus-openai-chat)" 2
    row share "share of templates, openai-chat of 20 events and more, %" '>85' "$(share openai-chat)"
    row share "share of templates, anthropic of 20 events and more, %" '>85' "$(share anthropic)"
else
    skipped "instructions: a byte of all recorded text streams" 6
    skipped "instructions: a byte of all recorded OpenAI chat streams" 3
    skipped "share of templates, openai-chat of 20 events and more, %" '>85'
    skipped "share of templates, anthropic of 20 events and more, %" '>85'
fi
if [ "$mode" = quick ]; then
    skipped "instructions: the worst stream found, against templates off" 1.05
else
    row worst "instructions: the worst stream found, against templates off" 1.05 \
        "$(awk -F '\t' '$1 == "worst" { print $2 }' "$tmp/worst.out")"
    awk -F '\t' '$1 == "worst" { print "|     " $3 " | | | |" }' "$tmp/worst.out"
fi
timed rest "bytes: a decoder at rest, heap and handle" 2048
timed scan-16k "time: deltas against the search for line ends, 16 KiB pieces" 1.5
timed scan-event "time: deltas against the search for line ends, one event a piece" -
timed turn "time: 10,000 decoders in turn against one" 4
timed large "time: an event of 16 MiB in 1 KiB pieces against one piece" 1.5
# growth WHAT NAME-OF-MORE NAME-OF-LESS: the ratio of two counts, of twice as much to as much.
growth() {
    row growth "growth: $1" 2.3 "$(calc "$(count "$2") / $(count "$3")" 2)"
    [ "$verdict" = ok ] || status=1
}
for kind in $many; do
    for count in 8000 16000; do
        growth "a response with $((2 * count)) $kind against $count, and its message" \
            "many-$kind-$((2 * count))" "many-$kind-$count"
    done
done
if [ "$mode" = linear ]; then
    whole=$(count one-line-4-whole)
    echo "|     one event of 4 MiB: $whole instructions whole, $(count one-line-4-64) in 64-byte pieces | | | |"
    # The whole line is read where it lies; in pieces it is copied once.
    counted one-line-4-64 "instructions: a byte of it in 64-byte pieces" 4 $((4 * mib)) 2
    for shape in $shapes; do
        for chunk in 1 64 whole; do
            for size in 1 2 4; do
                growth "$shape, pieces of $chunk, $((2 * size)) MiB against $size" \
                    "$shape-$((2 * size))-$chunk" "$shape-$size-$chunk"
            done
        done
    done
fi
if [ "$mode" = record ]; then
    {
        echo "# What an instruction count may not exceed: the last one recorded and 3%. benches/budgets.sh record"
        awk -F '\t' '{ printf "%s\t%.2f\n", $1, $2 * 1.03 }' "$tmp/recorded"
    } > $ceilings
    echo "recorded in $ceilings"
    exit 0
fi
exit $status
