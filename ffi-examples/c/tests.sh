# What the tests of C and C++ share; their `check` reads it in.

passed=0 failed=0
server=
trap '[ -z "$server" ] || kill "$server"' EXIT

pass() { passed=$((passed + 1)); }
fail() {
    failed=$((failed + 1))
    printf 'FAILED: %s\n' "$*"
}

# The line that closes the tests, and their exit status.
report() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

# Compiles into DELTAWIRE_BUILD against the staged library: `compile NAME COMPILER OPTION… SOURCE… LIBRARY…`.
compile() {
    local name=$1 compiler=$2
    shift 2
    "$compiler" -Wall -Wextra -Werror -pedantic -I"$DELTAWIRE_PREFIX/include" -o "$DELTAWIRE_BUILD/$name" \
        "$@" -L"$(dirname "$DELTAWIRE_LIBRARY")" -Wl,-rpath,"$(dirname "$DELTAWIRE_LIBRARY")" -ldeltawire
}

# Calls `$1 FILE DIALECT IS_SHORT NAME` for each case, in their folder; it prints what is wrong, if anything.
each_case() {
    local name file dialect is_short wrong count=0
    while IFS=$'\t' read -r name file dialect is_short; do
        count=$((count + 1))
        wrong=$(cd "$DELTAWIRE_CASES" && "$1" "$file" "$dialect" "$is_short" "$name")
        if [ -z "$wrong" ]; then pass; else fail "$1, $name: $wrong"; fi
    done <"$DELTAWIRE_CASES/cases.tsv"
    [ "$count" -ge 30 ] || fail "only $count cases in $DELTAWIRE_CASES"
}

# The program `deltas`, whole and in pieces, from a file and from standard input.
prints_the_case() {
    local size status
    for size in 65536 1 7 64; do
        "$DELTAWIRE_BUILD/deltas" --dialect "$2" --chunk-size "$size" "$1" 2>/dev/null |
            cmp - "$4.lines" 2>&1
        status=${PIPESTATUS[0]}
        [ "$status" -le 1 ] || echo "exit status $status"
    done
    "$DELTAWIRE_BUILD/deltas" --dialect "$2" <"$1" 2>/dev/null | cmp - "$4.lines" 2>&1
}

# Starts `deltawire serve` with these arguments; `base_url` has its address.
serve() {
    [ -z "$server" ] || kill "$server"
    "$DELTAWIRE" serve --port 0 "$@" 2>"$DELTAWIRE_BUILD/serve.log" &
    server=$!
    base_url=
    while [ -z "$base_url" ]; do
        kill -0 "$server" || { cat "$DELTAWIRE_BUILD/serve.log" && return 1; }
        sleep 0.05
        base_url=$(sed -n 's/^deltawire: listening on //p' "$DELTAWIRE_BUILD/serve.log")
    done
}

# A program that chats: its reply and what it says besides are in $DELTAWIRE_BUILD/reply and said.
ask() {
    OPENAI_BASE_URL=$base_url OPENAI_API_KEY=secret-canary OPENAI_MODEL=tiny-chat-1 \
        "$DELTAWIRE_BUILD/$1" Hello 2>"$DELTAWIRE_BUILD/said"
}

milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# `chats PROGRAM REFUSED`: REFUSED is its exit status where the server refuses.
chats() {
    local program=$1 refused=$2 status first start end pid
    local data=../../tests/data

    # Streamed: the first piece of the reply is there well before the end of it.
    serve --interval-ms 100 $data/serve-chat.sse
    {
        IFS= read -r -N 4 first
        start=$(milliseconds)
        rest=$(cat)
        end=$(milliseconds)
    } < <(ask "$program"; echo "status $?")
    if [ "$first$rest" = $'Grüß dich\nstatus 0' ] && [ $((end - start)) -ge 150 ]; then
        pass
    else
        fail "$program, streamed: $first$rest after $((end - start)) ms: $(cat "$DELTAWIRE_BUILD/said")"
    fi

    # Interrupted behind the first word: it ends at once, not with the response, and keeps the word. Job
    # control, since background jobs without it do not get the signal.
    serve --interval-ms 1000 $data/serve-chat.sse
    : >"$DELTAWIRE_BUILD/reply"
    set -m
    ask "$program" >"$DELTAWIRE_BUILD/reply" &
    pid=$!
    set +m
    for _ in {1..400}; do
        [ -s "$DELTAWIRE_BUILD/reply" ] && break
        sleep 0.02
    done
    start=$(milliseconds)
    kill -INT -- "-$pid"
    status=0
    wait "$pid" || status=$?
    end=$(milliseconds)
    if [ "$status" = 130 ] && [ $((end - start)) -lt 900 ] &&
        [ "$(head -n 1 "$DELTAWIRE_BUILD/reply")" = Grüß ] &&
        grep -q 'cancelled\|interrupted' "$DELTAWIRE_BUILD/said"; then
        pass
    else
        fail "$program, interrupted: exit status $status after $((end - start)) ms:" \
            "$(cat "$DELTAWIRE_BUILD/reply" "$DELTAWIRE_BUILD/said")"
    fi

    # Refused: the server's reason, and no key.
    serve --key another $data/serve-chat.sse
    status=0
    ask "$program" >"$DELTAWIRE_BUILD/reply" || status=$?
    if [ "$status" = "$refused" ] && [ -z "$(tr -d '\n' <"$DELTAWIRE_BUILD/reply")" ] &&
        grep -q 'Incorrect API key' "$DELTAWIRE_BUILD/said" &&
        ! grep -q secret-canary "$DELTAWIRE_BUILD/said"; then
        pass
    else
        fail "$program, refused: exit status $status:" \
            "$(cat "$DELTAWIRE_BUILD/reply" "$DELTAWIRE_BUILD/said")"
    fi

    # Cut short by the server.
    serve $data/serve-cut.sse
    status=0
    ask "$program" >"$DELTAWIRE_BUILD/reply" || status=$?
    if [ "$status" = 1 ]; then pass; else fail "$program, cut: exit status $status"; fi
    kill "$server"
    server=
}
