#!/usr/bin/env luajit
-- Prints what a recorded response says, a line a delta, as `deltawire deltas` does.
--
--     deltas.lua [--dialect D] [--chunk-size N] [FILE]      standard input where there is no FILE or it is -
--
-- Exit status: 0 done, 1 the stream carried an error or was cut, 2 wrong usage.
package.path = (arg[0]:match "^(.*)/" or ".") .. "/?.lua;" .. package.path
local deltawire = require "deltawire"
local lines = require "lines"

local function usage(why)
    io.stderr:write("deltas: ", why, "\nusage: deltas.lua [--dialect D] [--chunk-size N] [FILE]\n")
    os.exit(2)
end

local dialect, size, path
local at = 1
while arg[at] do
    if arg[at] == "--dialect" then
        dialect, at = arg[at + 1] or usage "--dialect needs a name", at + 1
    elseif arg[at] == "--chunk-size" then
        size, at = tonumber(arg[at + 1]), at + 1
        if not size or size < 1 or size % 1 ~= 0 then
            usage "--chunk-size needs a number from 1"
        end
    elseif path or arg[at]:find "^%-." then
        usage("what is " .. arg[at] .. "?")
    else
        path = arg[at]
    end
    at = at + 1
end

local made, decoder = pcall(deltawire.decoder, { dialect = dialect })
if not made then
    usage(tostring(decoder))
end
local file, why = io.stdin, nil
if path and path ~= "-" then
    file, why = io.open(path, "rb")
    if not file then
        usage(why)
    end
end

local is_faulty = false
local function print_all(next_delta, state)
    for delta, event_error in next_delta, state do
        if delta then
            is_faulty = is_faulty or delta.type == "error"
            io.write(lines.delta(delta))
        else
            io.stderr:write("deltas: ", event_error.message, "\n")
            is_faulty = true
        end
    end
end

for chunk in function() return file:read(size or 16384) end do
    print_all(decoder:feed(chunk))
end
print_all(decoder:finish())
local ended = decoder:ended()
io.write(lines.ended(ended))
decoder:close()
io.stdout:flush()
os.exit((is_faulty or ended ~= "complete") and 1 or 0)
