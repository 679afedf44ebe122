#!/usr/bin/env luajit
-- A chat on the terminal, on the library's transport.
--
--     chat.lua PROMPT
--
-- OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask. The reply goes to standard output as it
-- comes, what is known of it to standard error.
--
-- Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response; Ctrl-C ends it by the
-- signal, which a shell shows as 130.
package.path = (arg[0]:match "^(.*)/" or ".") .. "/?.lua;" .. package.path
local ffi = require "ffi"
local deltawire = require "deltawire"

-- LuaJIT's own handler of SIGINT waits for Lua code to run, so it would leave the program in its wait for
-- the next delta, and LuaJIT has no second thread that could cancel it. The default ends it at once, and
-- what came has been written.
ffi.cdef "void (*signal(int, void (*)(int)))(int);"
ffi.C.signal(2, nil)

local function setting(name, otherwise)
    local value = os.getenv(name)
    return value and value ~= "" and value or otherwise
end

local function exit(status)
    io.stdout:flush()
    os.exit(status)
end

if #arg ~= 1 then
    io.stderr:write "usage: chat.lua PROMPT\n"
    exit(2)
end
local is_faulty, ended = false, nil
local done, why = pcall(function()
    local client = deltawire.client { base_url = setting "OPENAI_BASE_URL", key = setting "OPENAI_API_KEY",
                                      retries = 0 }
    local stream = client:stream { model = setting("OPENAI_MODEL", "gpt-4o-mini"), include_usage = true,
                                   messages = { { role = "user", content = arg[1] } } }
    for delta, problem in stream:deltas() do
        if not delta then
            io.stderr:write(problem.message, "\n")
            is_faulty = true
        elseif delta.type == "text" then
            io.write(delta.text)
            io.flush()
        elseif delta.type == "usage" then
            io.stderr:write("(", tostring(delta.usage.output_tokens or 0), " tokens)")
        elseif delta.type == "error" then
            io.stderr:write(delta.kind, ": ", delta.message, "\n")
            is_faulty = true
        end
    end
    ended = stream:ended()
    stream:close()
    client:close()
end)
io.write "\n"
if not done then
    io.stderr:write(tostring(why), "\n")
    exit(3)
end
exit((is_faulty or ended ~= "complete") and 1 or 0)
