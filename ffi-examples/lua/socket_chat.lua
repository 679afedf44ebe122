#!/usr/bin/env luajit
-- A chat on the terminal, over LuaSocket: the bytes of the body go into a decoder as they arrive.
--
--     socket_chat.lua PROMPT
--
-- Settings and exit status are those of chat.lua. LuaSocket speaks no TLS: for https, LuaSec's `ssl.https`
-- takes the same arguments.
package.path = (arg[0]:match "^(.*)/" or ".") .. "/?.lua;" .. package.path
local ffi = require "ffi"
local http = require "socket.http"
local ltn12 = require "ltn12"
local deltawire = require "deltawire"

-- As in chat.lua: the default ends the program at once.
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

local function quote(text)
    return '"' .. text:gsub('[%z\1-\31"\\]', function(byte)
        return ("\\u%04x"):format(byte:byte())
    end) .. '"'
end

if #arg ~= 1 then
    io.stderr:write "usage: socket_chat.lua PROMPT\n"
    exit(2)
end
local body = '{"model":' .. quote(setting("OPENAI_MODEL", "gpt-4o-mini"))
    .. ',"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":'
    .. quote(arg[1]) .. "}]}"

local decoder = deltawire.decoder()
local is_faulty = false
local function show(next_delta, state)
    for delta, problem in next_delta, state do
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
end

-- A sink that returns nil and a reason would end the request: that is how it is cancelled.
local function sink(chunk)
    if chunk then
        show(decoder:deltas(chunk))
    end
    return 1
end

http.TIMEOUT = 300 -- seconds without a byte
local headers = { ["content-type"] = "application/json", ["content-length"] = tostring(#body) }
if setting "OPENAI_API_KEY" then
    headers.authorization = "Bearer " .. setting "OPENAI_API_KEY"
end
local got, status = http.request {
    url = setting("OPENAI_BASE_URL", "https://api.openai.com/v1") .. "/chat/completions",
    method = "POST", headers = headers, source = ltn12.source.string(body), sink = sink, redirect = false,
}
show(decoder:finish())
io.write "\n"
if not got or status ~= 200 then
    io.stderr:write(got and "HTTP status " or "", tostring(status), "\n")
    exit(3)
end
exit((is_faulty or decoder:ended() ~= "complete") and 1 or 0)
