-- The tests: `check test`, or `luajit test.lua` with DELTAWIRE, DELTAWIRE_LIBRARY, DELTAWIRE_CASES and
-- DELTAWIRE_BUILD set. The last line is `N passed, N failed`.
package.path = (arg[0]:match "^(.*)/" or ".") .. "/?.lua;" .. package.path
local here = arg[0]:match "^(.*)/" or "."
local ffi = require "ffi"
local deltawire = require "deltawire"
local lines = require "lines"
local http = require "socket.http"
local ltn12 = require "ltn12"
local socket = require "socket"

local function need(name)
    return assert(os.getenv(name), name .. " is not set")
end
local command, cases_folder, build = need "DELTAWIRE", need "DELTAWIRE_CASES", need "DELTAWIRE_BUILD"
local data = here .. "/../../tests/data/"
local passed, failed = 0, 0

local function test(name, body)
    local good, why = xpcall(body, function(problem)
        return type(problem) == "string" and debug.traceback(problem, 2) or tostring(problem)
    end)
    if good then
        passed = passed + 1
    else
        failed = failed + 1
        io.stderr:write("FAILED: ", name, "\n", why, "\n")
    end
end

local function same(got, want, what)
    if got ~= want then
        error(("%s: got %q, want %q"):format(what or "value", tostring(got), tostring(want)), 2)
    end
end

local function raises(pattern, ...)
    local good, why = pcall(...)
    assert(not good, "no error")
    assert(tostring(why):find(pattern), "another error: " .. tostring(why))
    return why
end

local function read(path)
    local file = assert(io.open(path, "rb"))
    local bytes = file:read "*a"
    file:close()
    return bytes
end

local function write(path, bytes)
    local file = assert(io.open(path, "wb"))
    file:write(bytes)
    file:close()
end

-- What a command prints on standard output, and its exit status.
local function run(line)
    local pipe = assert(io.popen(line .. '; printf "\\n%d" $?', "r"))
    local out = pipe:read "*a"
    pipe:close()
    local text, status = out:match "^(.*)\n(%d+)$"
    return text, tonumber(status)
end

local function shell(text)
    return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- The lines of a response cut as `pieces` gives it, and the errors of its events.
local function read_pieces(decoder, pieces)
    local out, problems = {}, {}
    local function take(next_delta, state)
        for delta, event_error in next_delta, state do
            if delta then
                out[#out + 1] = lines.delta(delta)
            else
                problems[#problems + 1] = event_error.message .. "\n"
            end
        end
    end
    for _, piece in ipairs(pieces) do
        take(decoder:feed(piece))
    end
    take(decoder:finish())
    out[#out + 1] = lines.ended(decoder:ended())
    return table.concat(out), table.concat(problems)
end

local function cut(bytes, size)
    local pieces = {}
    for at = 1, #bytes, size do
        pieces[#pieces + 1] = bytes:sub(at, at + size - 1)
    end
    return pieces
end

local cases = {}
for line in io.lines(cases_folder .. "/cases.tsv") do
    local name, file, dialect, short = line:match "^([^\t]+)\t([^\t]+)\t([^\t]+)\t([01])$"
    cases[#cases + 1] = { name = assert(name, line), file = file, dialect = dialect, short = short == "1" }
end
test("there are cases", function()
    assert(#cases >= 30, #cases .. " cases")
end)
for _, case in ipairs(cases) do
    test(case.name, function()
        local bytes = read(cases_folder .. "/" .. case.file)
        local want = read(cases_folder .. "/" .. case.name .. ".lines")
        local has_errors, errors = pcall(read, cases_folder .. "/" .. case.name .. ".errors")
        for _, batch in ipairs { 64, 1 } do
            local decoder = deltawire.decoder { dialect = case.dialect, batch = batch }
            local function try(pieces, what)
                local got, problems = read_pieces(decoder, pieces)
                same(got, want, what)
                same(problems, has_errors and errors or "", what .. ", errors")
                decoder:reset()
            end
            for _, size in ipairs { math.max(#bytes, 1), 1, 7, 64 } do
                try(cut(bytes, size), size .. " bytes a piece")
            end
            for at = 1, case.short and #bytes - 1 or 0 do
                try({ bytes:sub(1, at), bytes:sub(at + 1) }, "cut at " .. at)
            end
            decoder:close()
        end
    end)
end

local chunk = 'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n'

test("the program prints what the command prints", function()
    for at = 1, #cases, 40 do
        local case = cases[at]
        local want = read(cases_folder .. "/" .. case.name .. ".lines")
        local path = shell(cases_folder .. "/" .. case.file)
        local start = "luajit " .. shell(here .. "/deltas.lua") .. " --dialect " .. case.dialect
        same(run(start .. " " .. path .. " 2>/dev/null"), want, case.name)
        same(run(start .. " --chunk-size 1 " .. path .. " 2>/dev/null"), want, case.name)
        same(run(start .. " 2>/dev/null <" .. path), want, case.name)
    end
end)

test("the program's exit status is 0, 1 or 2", function()
    local start = "luajit " .. shell(here .. "/deltas.lua") .. " "
    same(select(2, run(start .. shell(data .. "serve-chat.sse"))), 0)
    same(select(2, run(start .. shell(data .. "serve-cut.sse"))), 1)
    same(select(2, run(start .. shell(data .. "serve-error.sse") .. " 2>/dev/null")), 1)
    same(select(2, run(start .. "--dialect nobody 2>/dev/null </dev/null")), 2)
    same(select(2, run(start .. "--chunk-size 0 2>/dev/null </dev/null")), 2)
end)

test("a text that is kept is right after the next call and after the decoder is freed", function()
    local decoder, kept = deltawire.decoder(), nil
    for delta in decoder:feed(chunk:format "Gr\195\188\195\159 \\u0000 dich") do
        if delta.type == "text" then kept = delta.text end
    end
    for _ in decoder:feed(chunk:format(("x"):rep(40))) do end
    decoder:close()
    collectgarbage()
    same(kept, "Gr\195\188\195\159 \0 dich")
end)

test("a chunk whose last reference is the loop's outlives the loop", function()
    local decoder, parts = deltawire.decoder { batch = 1 }, {}
    for delta in decoder:feed(chunk:format("a"):rep(200)) do
        if delta.type == "text" then parts[#parts + 1] = delta.text end
        collectgarbage()
    end
    same(table.concat(parts), ("a"):rep(200))
end)

test("use after close is an error, and a second close does nothing", function()
    local decoder, message = deltawire.decoder(), deltawire.message()
    decoder:close()
    decoder:close()
    message:close()
    message:close()
    raises("after close", decoder.feed, decoder, "")
    raises("after close", decoder.finish, decoder)
    raises("after close", decoder.ended, decoder)
    raises("after close", message.get, message)
    local open = deltawire.decoder()
    raises("after close", function()
        for _ in open:feed(chunk:format("a"):rep(3)) do open:close() end
    end)
end)

test("names of no dialect and values that are no strings are refused", function()
    raises("unknown dialect", deltawire.decoder, { dialect = "nobody" })
    raises("unknown dialect", deltawire.decoder, { dialect = 7 })
    raises("string is expected", deltawire.decoder, { text_field = 7 })
    local decoder = deltawire.decoder()
    raises("string is expected", decoder.feed, decoder, nil)
    raises(".", deltawire.client, { provider = "nobody" })
end)

test("a stream that is cut says so", function()
    local decoder = deltawire.decoder()
    read_pieces(decoder, { read(data .. "serve-cut.sse") })
    same(decoder:ended(), "truncated")
end)

test("an event over the limit is an error, and the stream goes on", function()
    local decoder, texts, problems = deltawire.decoder { max_event_bytes = 300 }, {}, {}
    local body = chunk:format "one" .. chunk:format(("x"):rep(400)) .. chunk:format "two"
    for delta, event_error in decoder:feed(body) do
        if not delta then
            problems[#problems + 1] = event_error
        elseif delta.type == "text" then
            texts[#texts + 1] = delta.text
        end
    end
    same(table.concat(texts, " "), "one two")
    same(#problems, 1)
    same(problems[1].status, "DW_ERR_EVENT_TOO_LARGE")
    same(problems[1].offset, #chunk:format "one")
end)

test("a message puts deltas together, and reads a whole response", function()
    local decoder, message = deltawire.decoder(), deltawire.message()
    for delta in decoder:feed(read(data .. "serve-chat.sse")) do message:push(delta) end
    for delta in decoder:finish() do message:push(delta) end
    message:finish(decoder:ended())
    local all = message:get()
    same(all.choices[1].text, "Gr\195\188\195\159 dich")
    same(all.choices[1].reason, "stop")
    same(all.usage.output_tokens, 4)
    same(all.complete, true)
    message:read '{"choices":[{"index":0,"message":{"role":"assistant","content":"a\\u0000b"}}]}'
    same(message:get().choices[1].text, "a\0b")
    same(raises("JSON", message.read, message, "{").status, "DW_ERR_NOT_JSON")
end)

-- In KiB.
local function resident()
    return tonumber(read("/proc/self/status"):match "VmRSS:%s*(%d+)")
end

test("objects that are dropped are freed", function()
    local function drop(times)
        for _ = 1, times do
            -- Far more than the decoder's own size stays with it, so that a leak shows.
            local decoder = deltawire.decoder { batch = 1 }
            decoder:feed(("data: %s"):format(("x"):rep(4000)))
            for _ in decoder:feed(("data: %s"):format(("x"):rep(4000))) do end
            deltawire.message()
        end
        collectgarbage()
        collectgarbage()
    end
    drop(1000)
    local before = resident()
    drop(10000)
    local grown = resident() - before
    assert(grown < 8192, "grown by " .. grown .. " KiB")
end)

-- Runs `body` with the address of a server, which is ended whatever happens.
local function with_server(options, body)
    local log = build .. "/serve.log"
    write(log, "")
    local pipe = io.popen(("%s serve --port 0 %s %s >/dev/null 2>%s & echo $!"):format(
        shell(command), options, shell(data .. "serve-chat.sse"), shell(log)))
    local pid = pipe:read "*l"
    pipe:close()
    local good, why = xpcall(function()
        for _ = 1, 200 do
            local url = read(log):match "listening on (http://%S+)"
            if url then
                return body(url)
            end
            socket.sleep(0.05)
        end
        error "the server does not listen"
    end, function(problem) return problem end)
    os.execute("kill " .. pid .. " 2>/dev/null")
    if not good then
        error(why, 0)
    end
end

local function ask(url, options)
    options = options or {}
    options.base_url, options.retries = url, 0
    return deltawire.client(options):stream {
        model = "tiny-chat-1", include_usage = true, messages = { { role = "user", content = "Hello" } },
    }
end

test("over the transport a reply is streamed, its first delta long before its last", function()
    with_server("--interval-ms 100", function(url)
        local texts, first, last = {}, nil, nil
        local stream = ask(url)
        for delta in stream:deltas() do
            last = socket.gettime()
            first = first or last
            if delta.type == "text" then texts[#texts + 1] = delta.text end
        end
        same(table.concat(texts), "Gr\195\188\195\159 dich")
        same(stream:ended(), "complete")
        assert(last - first > 0.2, "all came at once")
        stream:close()
        raises("after close", stream.deltas, stream)
    end)
end)

test("over the transport a stream is cancelled between deltas; what came stays", function()
    with_server("--interval-ms 400", function(url)
        local stream, texts, start = ask(url), {}, nil
        local why = raises("cancel", function()
            for delta in stream:deltas() do
                if delta.type == "text" then
                    texts[#texts + 1] = delta.text
                    start = socket.gettime()
                    stream:cancel()
                end
            end
        end)
        same(why.cancelled, true)
        same(why.status, "DW_ERR_CANCELLED")
        assert(#texts >= 1, "no text")
        assert(socket.gettime() - start < 0.3, "it waited for the next event")
    end)
end)

test("a wait of the transport ends with its limit; what came stays", function()
    with_server("--interval-ms 5000", function(url)
        local stream, came, start = ask(url, { timeout_idle_ms = 200 }), 0, socket.gettime()
        local why = raises(".", function()
            for _ in stream:deltas() do came = came + 1 end
        end)
        same(why.status, "DW_ERR_TIMEOUT")
        same(why.cancelled, false)
        assert(socket.gettime() - start < 4, "it waited for the event")
        same(stream:ended(), "truncated")
    end)
end)

test("over the transport a refusal says what the server said, and never the key", function()
    with_server("--key right-key", function(url)
        local why = raises(".", function()
            for _ in ask(url, { key = "sk-wrong-key" }):deltas() do end
        end)
        same(why.status, "DW_ERR_STATUS")
        same(why.http_status, 401)
        same(why.kind, "authentication")
        assert(#why.said > 0)
        for field, value in pairs(why) do
            assert(not tostring(value):find("wrong-key", 1, true), field)
        end
    end)
end)

local function program(name, url, settings)
    return ("OPENAI_BASE_URL=%s OPENAI_MODEL=tiny-chat-1 %s luajit %s"):format(
        shell(url), settings or "", shell(here .. "/" .. name))
end

for _, name in ipairs { "chat.lua", "socket_chat.lua" } do
    test(name .. " prints the reply, and what is known of it", function()
        with_server("--key right-key", function(url)
            local log = shell(build .. "/chat.log")
            local out, status = run(program(name, url, "OPENAI_API_KEY=right-key") .. " Hello 2>" .. log)
            same(out, "Gr\195\188\195\159 dich\n")
            same(status, 0)
            same(read(build .. "/chat.log"), "(4 tokens)")
            out, status = run(program(name, url, "OPENAI_API_KEY=wrong-key") .. " Hello 2>&1")
            same(status, 3)
            assert(out:find "401", out)
            assert(not out:find("wrong-key", 1, true), out)
            same(select(2, run(program(name, url) .. " 2>/dev/null")), 2)
        end)
    end)

    test(name .. " ends with Ctrl-C while it waits, and has written what came", function()
        with_server("--interval-ms 1000", function(url)
            -- `timeout` sends the signal while the program waits for an event; the shell sees 128 + 2.
            local start = socket.gettime()
            local out, status = run("timeout --preserve-status --foreground -s INT 4.5 sh -c "
                .. shell("trap : INT; exec env " .. program(name, url) .. " Hello") .. " 2>/dev/null")
            assert(socket.gettime() - start < 5.5, "it went on")
            same(status, 130)
            assert(("Gr\195\188\195\159 dich"):find(out, 1, true) == 1 and #out > 0, out)
        end)
    end)
end

test("over LuaSocket deltas come with the bytes, and a sink that refuses ends the request", function()
    with_server("--interval-ms 300", function(url)
        local decoder, texts, start = deltawire.decoder(), {}, socket.gettime()
        local body = '{"model":"tiny-chat-1","stream":true,"messages":[{"role":"user","content":"Hello"}]}'
        local got, why = http.request {
            url = url .. "/chat/completions", method = "POST", source = ltn12.source.string(body),
            headers = { ["content-length"] = #body },
            sink = function(bytes)
                for delta in decoder:feed(bytes or "") do
                    if delta.type == "text" then texts[#texts + 1] = delta.text end
                end
                if #texts > 0 then
                    return nil, "cancelled"
                end
                return 1
            end,
        }
        same(got, nil)
        same(why, "cancelled")
        same(#texts, 1)
        assert(socket.gettime() - start < 1.7, "it read to the end")
        for _ in decoder:finish() do end
        same(decoder:ended(), "truncated")
    end)
end)

print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0 and passed > 0 and 0 or 1)
