#!/bin/sh
# Holds the library against its budgets and prints a table of them:
#
#     benches/budgets.sh           every row but those of `linear`, about three minutes
#     benches/budgets.sh quick     fewer rounds of what is timed, no search for the worst case
#     benches/budgets.sh linear    besides, that the framing's work grows with the bytes alone, however
#                                  they are cut
#     benches/budgets.sh record    writes what was counted, with a margin, to benches/ceilings.tsv
#
# Instructions are counted with callgrind, which the load of the machine does not touch. Exit status 1
# where one of benches/ceilings.tsv is broken: ceilings are for what was reached, budgets for what was
# promised. A budget `A/B` has two steps: `over` is above A, `step 1` is above B. Times and shares are
# printed and break nothing. Needs valgrind; the recorded streams are looked for in ../shared/corpus,
# and simdjson is compared if g++ and libsimdjson-dev are installed. Rows that need what is missing say
# SKIPPED, rows of what is not built yet say ABSENT. Instructions of memchr and simd-json depend on the SIMD that valgrind
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
build linear deltas times weights peers

# A program that is not Rust, and the stream that it reads.
simdjson=
if command -v g++ > /dev/null && echo '#include <simdjson.h>' | g++ -E -x c++ - > /dev/null 2>&1; then
    simdjson=$tmp/peers-simdjson
    g++ -std=c++17 -O3 -DNDEBUG -o "$simdjson" benches/peers/simdjson.cpp -lsimdjson
    echo "$simdjson" > "$tmp/simdjson"
    "$(cat "$tmp/deltas")" print 20000 random > "$tmp/random"
fi
load=$(sed 's/ [0-9]*\/.*//' /proc/loadavg 2> /dev/null || echo unknown)

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
peer_events=2000
# Peers that read one path, and peers that read every member that deltawire reads.
one_path="lines-get sse-stream-get"
all_fields="lines-get_many lines-struct lines-serde"
peer_name() {
    case $1 in
        lines-get) echo "memchr lines + sonic-rs get" ;;
        sse-stream-get) echo "sse-stream + sonic-rs get" ;;
        lines-get_many) echo "memchr lines + sonic-rs get_many" ;;
        lines-struct) echo "memchr lines + sonic-rs struct" ;;
        lines-serde) echo "memchr lines + serde_json struct" ;;
    esac
}
own="openai-chat openai-responses anthropic"
# Short recorded replies of the same dialects, of six, nine and ten events.
reply() {
    case $1 in
        openai-chat) echo openai-chat-206- ;;
        openai-responses) echo openai-responses-062- ;;
        anthropic) echo anthropic-004- ;;
    esac
}
dialects=""
if [ -d ../shared/corpus ]; then
    dialects=$(cd ../shared/corpus && ls | sed -n 's/^\([a-z-]*\)-[0-9].*\.\(sse\|ndjson\)$/\1/p' | sort -u)
fi
mib=1048576
shapes="one-line many-lines lines-and-comments ids comments cr"
many="choices calls same-index members items"
cases() {
    for chunk in 16384 0 64; do
        echo "framing-$chunk linear events $events $chunk"
        echo "framing-$chunk-memory linear events $events $chunk memory"
        echo "hit-$chunk deltas events $events $chunk"
        echo "hit-$chunk-random deltas random $events $chunk"
    done
    echo "miss-random deltas random $events 0 off"
    for peer in $one_path $all_fields; do
        echo "peer-$peer peers \"$(peer_name "$peer")\" $peer_events 0"
    done
    if [ -n "$simdjson" ]; then
        for how in one all; do echo "peer-simdjson-$how simdjson $tmp/random $how 0"; done
    fi
    echo "first-made deltas first made 1"
    for name in $own; do
        echo "first-$name deltas first $name 1"
        echo "ten-$name deltas first $name 10"
        echo "own-$name deltas first $name all"
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
        for dialect in $dialects all; do
            echo "fresh-$dialect deltas fresh $dialect 16384"
        done
        for name in $own; do echo "six-$name deltas first $(reply "$name") all"; done
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
"$(cat "$tmp/weights")" > "$tmp/weights.out"
if [ -n "$simdjson" ]; then
    for how in one all; do
        "$simdjson" "$tmp/random" $how time "$([ "$mode" = quick ] && echo 100 || echo 3000)" > "$tmp/simdjson-$how.time"
    done
fi
[ ! -d ../shared/corpus ] || "$(cat "$tmp/deltas")" shares > "$tmp/shares.out"
[ "$mode" = quick ] || sh benches/worst.sh > "$tmp/worst.out"

status=0
: > "$tmp/recorded"
# row NAME WHAT BUDGET MEASURED: `NAME` is looked up in the ceilings; a budget of `-` is none, one
# with a `>` in front a floor, one with a `/` two steps.
row() {
    verdict=ok
    case $3 in
        -) verdict= ;;
        '>'*) awk "BEGIN { exit !($4 < ${3#>}) }" && verdict=under ;;
        */*)
            awk "BEGIN { exit !($4 > ${3#*/}) }" && verdict="step 1"
            awk "BEGIN { exit !($4 > ${3%/*}) }" && verdict=over
            ;;
        *) awk "BEGIN { exit !($4 > $3) }" && verdict=over ;;
    esac
    ceiling=$(awk -F '\t' -v name="$1" '$1 == name { print $2 }' $ceilings)
    if [ -n "$ceiling" ] && awk "BEGIN { exit !($4 > $ceiling) }"; then
        verdict="$verdict, ABOVE ITS CEILING $ceiling"
        status=1
    fi
    printf '| %-70s | %9s | %9s | %s |\n' "$2" "$3" "$4" "$verdict"
}
# counted NAME WHAT BUDGET PER DECIMALS: a row of instructions, which may have a ceiling.
counted() {
    measured=$(calc "$(count "$1") / $4" "$5")
    printf '%s\t%s\n' "$1" "$measured" >> "$tmp/recorded"
    row "$1" "$2" "$3" "$measured"
}
# listed FILE NAME WHAT BUDGET [SCALE]: a row of what `times` or `weights` printed, and its note.
listed() {
    value=$(awk -F '\t' -v name="$2" '$1 == name { print $2 }' "$tmp/$1.out")
    [ -n "$value" ] || { skipped "$3" "$4"; return 0; }
    [ -z "${5:-}" ] || value=$(calc "$value / $5" 3)
    row "$2" "$3" "$4" "$value"
    awk -F '\t' -v name="$2" '$1 == name && $3 != "" { print "|     " $3 " | | | |" }' "$tmp/$1.out"
}
timed() { listed times "$@"; }
weighed() { listed weights "$@"; }
# lead NAME WHAT BUDGET NUMERATOR DENOMINATOR: how many times as much the first takes.
lead() { row "$1" "$2" "$3" "$(calc "($4) / ($5)" 2)"; }
absent() { printf '| %-70s | %9s | %9s | %s |\n' "$1" "$2" - ABSENT; }
skipped() { printf '| %-70s | %9s | %9s | %s |\n' "$1" "$2" - SKIPPED; }

printf '| %-70s | %9s | %9s | %s |\n' "an event is 326 bytes of OpenAI chat" budget measured verdict
echo "|---|---|---|---|"
for carry in "" -memory; do
    what="instructions: framing${carry:+ in fixed memory}"
    counted "framing-16384$carry" "$what, an event, 16 KiB pieces" 330 $events 1
    counted "framing-0$carry" "$what, an event, one event a piece" 360 $events 1
    counted "framing-64$carry" "$what, an event, 64-byte pieces" 1000 $events 1
done
lengths="random lengths"
counted hit-16384-random "instructions: hit, 16 KiB pieces, $lengths" 450/420 $events 1
counted hit-0-random "instructions: hit, one event a piece, $lengths" 490/480 $events 1
counted hit-64-random "instructions: hit, 64-byte pieces, $lengths" - $events 1
counted hit-16384 "instructions: hit, 16 KiB pieces, lengths of period ten" 450/420 $events 1
counted hit-0 "instructions: hit, one event a piece, lengths of period ten" 490/480 $events 1
counted hit-1024 "instructions: hit, 1 KiB pieces" - $events 1
counted hit-64 "instructions: hit, 64-byte pieces" - $events 1
# The decoder has no `Options::details` yet: it leaves details out, mostly.
counted miss-random "instructions: miss, one event a piece, $lengths" 3000/2700 $events 1
absent "instructions: miss, all details" 3400/3000
counted escaped "instructions: hit, an event full of escapes" - $events 1
counted miss "instructions: miss, 16 KiB pieces, lengths of period ten" 3000/2700 $events 1
counted shapes "instructions: miss with templates on, never two of a shape" - $events 1
row shapes-ratio "  the same against templates off" 1.05 \
    "$(calc "$(count shapes) / $(count shapes-off)" 3)"
hit="$(count hit-0-random) / $events" miss="$(count miss-random) / $events"
for peer in $one_path; do
    [ "$peer" = lines-get ] && budget='>8' || budget=-
    lead "hit-$peer" "lead of a hit, instructions: $(peer_name "$peer"), one path" $budget \
        "$(count "peer-$peer") / $peer_events" "$hit"
done
for how in one all; do
    [ $how = one ] && what="one path" budget='>3.6' || { what="all fields" budget=-; }
    what="lead of a hit, instructions: C++ simdjson On-Demand, $what"
    if [ -n "$simdjson" ]; then
        lead "hit-simdjson-$how" "$what" "$budget" "$(count peer-simdjson-$how) / $events" "$hit"
    else
        skipped "$what" "$budget"
    fi
done
for peer in $all_fields; do
    lead "miss-$peer" "lead of a miss, instructions: $(peer_name "$peer"), all fields" '>1' \
        "$(count "peer-$peer") / $peer_events" "$miss"
done
for how in all one; do
    [ $how = all ] && what="all fields" budget='>1' || { what="one path" budget=-; }
    what="lead of a miss, instructions: C++ simdjson On-Demand, $what"
    if [ -n "$simdjson" ]; then
        lead "miss-simdjson-$how" "$what" "$budget" "$(count peer-simdjson-$how) / $events" "$miss"
    else
        skipped "$what" "$budget"
    fi
done
lead miss-lines-get "lead of a miss, instructions: $(peer_name lines-get), one path" - \
    "$(count peer-lines-get) / $peer_events" "$miss"
counted first-made "instructions: first event of a made chat stream, new thread" 6000 1 0
counted first-openai-chat "instructions: first event, openai-chat, new thread" 6000 1 0
counted first-openai-responses "instructions: first event, openai-responses, new thread" 10000 1 0
weighed calls-first-openai-chat "allocator calls: first event, openai-chat, new thread" 4
weighed bytes-first-openai-chat "bytes allocated: first event, openai-chat, new thread" 1024
if [ -d ../shared/corpus ]; then
    counted six-openai-chat "instructions a byte: recorded six-event chat reply, new thread" 14 \
        "$(sed 's/ .*//' "$tmp/six-openai-chat.out")" 2
else
    skipped "instructions a byte: recorded six-event chat reply, new thread" 14
fi
if [ -d ../shared/corpus ]; then
    bytes() { sed 's/ .*//' "$tmp/$1.out"; }
    share() { awk -F '\t' -v dialect="$1" '$1 == dialect { print $5 + 0; exit }' "$tmp/shares.out"; }
    # fresh: a new thread for each; corpus: one thread for all, a new decoder for each.
    counted fresh-all "instructions a byte: recorded streams, new threads" 4 "$(bytes fresh-all)" 2
    counted fresh-openai-chat "instructions a byte: recorded openai-chat, new threads" 3 \
        "$(bytes fresh-openai-chat)" 2
    counted corpus-all "instructions a byte: recorded streams, one thread" 4 "$(bytes corpus-all)" 2
    counted corpus-openai-chat "instructions a byte: recorded openai-chat, one thread" 3 \
        "$(bytes corpus-openai-chat)" 2
    row share "share of templates, openai-chat of 20 events and more, %" '>85' "$(share openai-chat)"
    row share "share of templates, anthropic of 20 events and more, %" '>85' "$(share anthropic)"
else
    for what in "streams, new threads" "openai-chat, new threads" "streams, one thread" "openai-chat, one thread"; do
        case $what in openai*) budget=3 ;; *) budget=4 ;; esac
        skipped "instructions a byte: recorded $what" $budget
    done
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
weighed rest "bytes: a decoder at rest, made stream, heap and handle" 2048
weighed rest-recorded "bytes: a decoder at rest, median recorded stream" 3000
weighed kept-whole "bytes: kept by a thread after an event of 1 MB and its decoder" 0
# Whole: a decoder and pieces of 4 KiB. Cut: the carry besides, a power of two. Escapes: the text besides.
for kind in text brackets numbers string escapes; do
    [ $kind = escapes ] && text=0.5 || text=0
    weighed peak-$kind-whole "MB: peak of the heap, 1 MB of $kind, one piece" "$(calc "0.02 + $text" 2)" 1000000
    weighed peak-$kind-1k "MB: peak of the heap, 1 MB of $kind, 1 KiB pieces" "$(calc "1.07 + $text" 2)" 1000000
done
absent "bytes: OpenAI chat in the caller's memory" 8192
echo "|     times: the machine's load was $load | | | |"
timed random-16k "time: hit against a memchr line scan, 16 KiB pieces, $lengths" 2
timed random-event "time: hit against a memchr line scan, one event a piece, $lengths" 2
timed scan-16k "time: the same, 16 KiB pieces, lengths of period ten" -
timed scan-event "time: the same, one event a piece, lengths of period ten" -
timed random-miss "time: miss against a memchr line scan, one event a piece, $lengths" -
timed miss-ns "ns: miss, one event a piece, $lengths" 150
for peer in $one_path $all_fields; do
    name=$(peer_name "$peer" | tr ' ' -)
    timed "hit-$name" "lead of a hit, time: $(peer_name "$peer")" -
    timed "miss-$name" "lead of a miss, time: $(peer_name "$peer")" -
done
for how in one all; do
    [ $how = one ] && what="one path" || what="all fields"
    what="time: C++ simdjson On-Demand, $what, against a memchr line scan"
    if [ -n "$simdjson" ]; then
        read -r reads scans < "$tmp/simdjson-$how.time"
        row simdjson-time "$what" - "$(calc "$reads / $scans" 2)"
        echo "|     $reads ns an event against $scans | | | |"
    else
        skipped "$what" -
    fi
done
timed turn "time: 10,000 decoders in turn against one" 4
timed turn-many "time: 100,000 decoders in turn against one" -
timed threads "time: two threads with a decoder each against one" -
timed large "time: one event of 16 MiB in 1 KiB pieces against one piece" 1.5
timed large-ms "ms: one event of 16 MiB in 1 KiB pieces" 4
absent "time: async adapter against sync, borrowed, 16 KiB pieces" 1.25
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

printf '\n| %-46s | %12s | %6s | %9s | %8s | %6s |\n' "cold start, new decoder on a new thread" instructions \
    events "a byte" calls bytes
echo "|---|---|---|---|---|---|"
# hold NAME MEASURED: compares a count of these tables with its ceiling and sets `note` if it is above.
hold() {
    ceiling=$(awk -F '\t' -v name="$1" '$1 == name { print $2 }' $ceilings)
    note=
    if [ -n "$ceiling" ] && awk "BEGIN { exit !($2 > $ceiling) }"; then
        note=" ABOVE ITS CEILING $ceiling"
        status=1
    fi
    printf '%s\t%s\n' "$1" "$2" >> "$tmp/recorded"
}
# cold NAME WHAT: a row of the table of cold starts.
cold() {
    [ -s "$tmp/$1.out" ] && ! grep -q SKIPPED "$tmp/$1.out" || {
        printf '| %-46s | %12s | %6s | %9s | %8s | %6s |\n' "$2" SKIPPED - - - -
        return 0
    }
    instructions=$(count "$1") size=$(sed 's/ .*//' "$tmp/$1.out")
    number=$(sed 's/.*, \([0-9]*\) events/\1/' "$tmp/$1.out")
    weight() { awk -F '\t' -v name="$2-$1" '$1 == name { print $2 }' "$tmp/weights.out"; }
    hold "$1-count" "$instructions"
    printf '| %-46s | %12s | %6s | %9s | %8s | %6s |\n' "$2" "$instructions$note" "$number" \
        "$(calc "$instructions / $size" 1)" "$(weight "$1" calls)" "$(weight "$1" bytes)"
}
for name in $own; do
    cold "first-$name" "$name, first event"
    cold "ten-$name" "$name, first ten events"
    cold "own-$name" "$name, the whole of benches/streams"
    cold "six-$name" "$name, short recorded reply"
done

printf '\n| %-46s | %12s | %6s | %9s |\n' "recorded streams, a new thread for each" instructions events "a byte"
echo "|---|---|---|---|"
for dialect in ${dialects:+$dialects all}; do
    a_byte=$(calc "$(count "fresh-$dialect") / $(sed 's/ .*//' "$tmp/fresh-$dialect.out")" 2)
    hold "fresh-$dialect" "$a_byte"
    printf '| %-46s | %12s | %6s | %9s |\n' "$dialect" "$(count "fresh-$dialect")" \
        "$(sed 's/.*, \([0-9]*\) events/\1/' "$tmp/fresh-$dialect.out")" "$a_byte$note"
done
[ -n "$dialects" ] || printf '| %-46s | %12s | %6s | %9s |\n' "every dialect" SKIPPED - -
if [ "$mode" = record ]; then
    {
        echo "# What an instruction count may not exceed: the last one recorded and 3%. benches/budgets.sh record"
        awk -F '\t' '!seen[$1]++ { printf "%s\t%.2f\n", $1, $2 * 1.03 }' "$tmp/recorded"
    } > $ceilings
    echo "recorded in $ceilings"
    exit 0
fi
exit $status
