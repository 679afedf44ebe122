#!/usr/bin/env bash
# What `chat --json` costs beside `curl -N`, which writes the same body to a file.
#
#     benches/transport.sh [EVENTS]
#
# Processor time of the client alone, user and system, in microseconds an event; each figure is the
# median of five runs, curl and chat in turn. Once with a server that sends as fast as it can, once
# with one event a millisecond, each in a packet of its own as from a provider. Needs curl.
set -euo pipefail
cd "$(dirname "$0")/.."
events=${1:-200000}
target=${CARGO_TARGET_DIR:-target}
cargo build --quiet --release --features cli
command=$target/release/deltawire
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -r "$folder"' EXIT

# A stream of so many chunks, 330 bytes each.
body() {
    awk -v events="$1" 'BEGIN {
        for (i = 0; i < events; i++)
            printf "data: {\"id\":\"chatcmpl-8VYRWKNwzK2l5rLbPzF8vpcDNEQ3W\",\"object\":\"chat.completion.chunk\",\"created\":1702514438,\"model\":\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_560af6e559\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" w%d\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,\"obfuscation\":\"abcd\"}\n\n", i
        print "data: [DONE]\n"
    }' >"$folder/body.sse"
}

# Starts a server and gives its base URL.
serve() {
    "$command" serve --interval-ms "$1" "$folder/body.sse" 2>"$folder/serve.log" &
    until grep -q listening "$folder/serve.log"; do sleep 0.1; done
    url=$(sed -n 's/.*listening on //p' "$folder/serve.log")
}

# Processor time of a command in microseconds.
cpu() {
    local TIMEFORMAT='%U %S'
    { time "$@" >"$folder/out" 2>/dev/null; } 2>&1 | awk '{ printf "%d\n", ($1 + $2) * 1e6 }'
}

median() { sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }

compare() {
    local what=$1 count=$2
    : >"$folder/curl"
    : >"$folder/chat"
    for _ in 1 2 3 4 5; do
        cpu curl -sN "$url/chat/completions" -H 'content-type: application/json' \
            -d '{"model":"m","stream":true,"messages":[]}' >>"$folder/curl"
        [ "$(grep -c '^data: ' "$folder/out")" = $((count + 1)) ]
        cpu "$command" chat --json --base-url "$url" Hi >>"$folder/chat"
        [ "$(grep -c '"type":"text"' "$folder/out")" = "$count" ]
    done
    awk -v what="$what" -v count="$count" -v curl="$(median <"$folder/curl")" \
        -v chat="$(median <"$folder/chat")" 'BEGIN {
        ratio = chat / curl
        printf "%-28s %10.2f %10.2f %8.2f   %s\n", what, curl / count, chat / count, ratio,
            ratio <= 1.5 ? "ok" : "over 1.5"
    }'
}

printf '%-28s %10s %10s %8s\n' "processor time, us an event" "curl -N" "chat" "ratio"
body "$events"
serve 0
compare "as fast as it comes" "$events"
kill %1
wait %1 2>/dev/null || true
body 2000
serve 1
compare "one event a millisecond" 2000
