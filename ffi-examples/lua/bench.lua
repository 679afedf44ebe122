#!/usr/bin/env luajit
-- What reading a stream costs, beside lines and lua-cjson: `bench.lua FILE`, a stream of OpenAI chat chunks.
-- Rows, tab-separated: name, mode, nanoseconds an event, deltas of text, bytes of text. In the mode `16k`
-- the bytes come in pieces of 16 KiB, in `event` one event a piece. The least of five rounds counts.
package.path = (arg[0]:match "^(.*)/" or ".") .. "/?.lua;" .. package.path
local ffi = require "ffi"
local cjson = require "cjson"
local deltawire = require "deltawire"

ffi.cdef [[
typedef struct { long sec, nsec; } bench_time;
int clock_gettime(int, bench_time *);
]]
local CLOCK_MONOTONIC = 1

local function now()
    local time = ffi.new "bench_time"
    ffi.C.clock_gettime(CLOCK_MONOTONIC, time)
    return tonumber(time.sec) * 1e9 + tonumber(time.nsec)
end

local function by_deltawire(options)
    return function(pieces)
        local decoder, parts = deltawire.decoder(options), {}
        for at = 1, #pieces do
            for delta in decoder:feed(pieces[at]) do
                if delta.type == "text" then
                    parts[#parts + 1] = delta.text
                end
            end
        end
        for _ in decoder:finish() do end
        assert(decoder:ended() == "complete")
        decoder:close()
        return #parts, table.concat(parts)
    end
end

-- Lines, and JSON of what follows "data: ".
local function by_cjson(pieces)
    local parts, rest = {}, ""
    local decode = cjson.decode
    for at = 1, #pieces do
        local piece = rest == "" and pieces[at] or rest .. pieces[at]
        local start = 1
        while true do
            local stop = piece:find("\n", start, true)
            if not stop then
                break
            end
            if piece:sub(start, start + 5) == "data: " then
                local data = piece:sub(start + 6, stop - 1)
                if data ~= "[DONE]" then
                    local choice = decode(data).choices[1]
                    local content = choice and choice.delta.content
                    if type(content) == "string" then
                        parts[#parts + 1] = content
                    end
                end
            end
            start = stop + 1
        end
        rest = piece:sub(start)
    end
    return #parts, table.concat(parts)
end

local function measure(name, mode, events, pieces, run)
    local least, count, text = math.huge, nil, nil
    for round = 0, 5 do
        collectgarbage()
        local start = now()
        count, text = run(pieces)
        if round > 0 then
            least = math.min(least, now() - start)
        end
    end
    io.write(("%s\t%s\t%d\t%d\t%d\n"):format(name, mode, least / events, count, #text))
end

if #arg ~= 1 then
    io.stderr:write "usage: bench.lua FILE\n"
    os.exit(2)
end
local file = assert(io.open(arg[1], "rb"))
local bytes = file:read "*a"
file:close()
local by_size, by_event = {}, {}
for at = 1, #bytes, 16384 do
    by_size[#by_size + 1] = bytes:sub(at, at + 16383)
end
local at = 1
while at <= #bytes do
    local _, stop = bytes:find("\n\n", at, true)
    stop = stop or #bytes
    by_event[#by_event + 1] = bytes:sub(at, stop)
    at = stop + 1
end
for _, mode in ipairs { "16k", "event" } do
    local pieces = mode == "16k" and by_size or by_event
    measure("deltawire", mode, #by_event, pieces, by_deltawire())
    measure("deltawire, one call a delta", mode, #by_event, pieces, by_deltawire { batch = 1 })
    measure("lines + lua-cjson", mode, #by_event, pieces, by_cjson)
end
