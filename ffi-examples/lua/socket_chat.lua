#!/usr/bin/env luajit
-- A chat on the terminal, over LuaSocket: the bytes of the body go into a decoder as they arrive.
--
--     socket_chat.lua PROMPT
--
-- Settings and exit status are those of chat.lua. LuaSocket speaks no TLS: for https, LuaSec's `ssl.https`
-- takes the same arguments.
package.path = (arg[0]:match "^(.*)/" or ".") .. "/?.lua;" .. package.path
local http = require "socket.http"
local ltn12 = require "ltn12"
local deltawire = require "deltawire"
local terminal = require "terminal"

local function quote(text)
    return '"' .. text:gsub('[%z\1-\31"\\]', function(byte)
        return ("\\u%04x"):format(byte:byte())
    end) .. '"'
end

local prompt = terminal.prompt "socket_chat.lua"
local body = '{"model":' .. quote(terminal.setting("OPENAI_MODEL", "gpt-4o-mini"))
    .. ',"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":'
    .. quote(prompt) .. "}]}"
local decoder = deltawire.decoder()

-- A sink that returns nil and a reason would end the request: that is how it is cancelled.
local function sink(chunk)
    if chunk then
        terminal.show(decoder:feed(chunk))
    end
    return 1
end

http.TIMEOUT = 300 -- seconds without a byte
local headers = { ["content-type"] = "application/json", ["content-length"] = tostring(#body) }
if terminal.setting "OPENAI_API_KEY" then
    headers.authorization = "Bearer " .. terminal.setting "OPENAI_API_KEY"
end
local got, status = http.request {
    url = terminal.setting("OPENAI_BASE_URL", "https://api.openai.com/v1") .. "/chat/completions",
    method = "POST", headers = headers, source = ltn12.source.string(body), sink = sink, redirect = false,
}
terminal.show(decoder:finish())
io.write "\n"
if not got or status ~= 200 then
    io.stderr:write(got and "HTTP status " or "", tostring(status), "\n")
    terminal.exit(3)
end
terminal.exit(terminal.status(decoder:ended()))
