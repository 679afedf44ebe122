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
local deltawire = require "deltawire"
local terminal = require "terminal"

local prompt = terminal.prompt "chat.lua"
local ended
local done, why = pcall(function()
    local client = deltawire.client { base_url = terminal.setting "OPENAI_BASE_URL",
                                      key = terminal.setting "OPENAI_API_KEY", retries = 0 }
    local stream = client:stream { model = terminal.setting("OPENAI_MODEL", "gpt-4o-mini"),
                                   include_usage = true,
                                   messages = { { role = "user", content = prompt } } }
    terminal.show(stream:deltas())
    ended = stream:ended()
    stream:close()
    client:close()
end)
io.write "\n"
if not done then
    io.stderr:write(tostring(why), "\n")
    terminal.exit(3)
end
terminal.exit(terminal.status(ended))
