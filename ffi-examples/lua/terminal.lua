-- What both chats do with the terminal: settings, Ctrl-C, and how a reply is shown.
local ffi = require "ffi"

-- LuaJIT's own handler of SIGINT waits for Lua code to run, so it would leave a chat in its wait for the next
-- bytes, and LuaJIT has no second thread that could cancel it. The default ends the program at once, and what
-- came has been written.
ffi.cdef "void (*signal(int, void (*)(int)))(int);"
ffi.C.signal(2, nil)

local terminal = {}
local is_faulty = false

---@param name string
---@param otherwise? string
---@return string?
function terminal.setting(name, otherwise)
    local value = os.getenv(name)
    return value and value ~= "" and value or otherwise
end

---Ends the program; `os.exit` alone would leave what is not written yet.
---@param status integer
function terminal.exit(status)
    io.stdout:flush()
    os.exit(status)
end

---The only argument; ends the program with status 2 where there is another number of them.
---@param program string
---@return string
function terminal.prompt(program)
    if #arg ~= 1 then
        io.stderr:write("usage: ", program, " PROMPT\n")
        terminal.exit(2)
    end
    return arg[1]
end

---The reply goes to standard output, what is known of it to standard error.
---@param next_delta function  with `state`, what `feed`, `finish` and `deltas` give
function terminal.show(next_delta, state)
    for delta, event_error in next_delta, state do
        if not delta then
            io.stderr:write(event_error.message, "\n")
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

---The exit status of a reply that came to its end.
---@param ended string  as `ended` says it
---@return integer
function terminal.status(ended)
    return (is_faulty or ended ~= "complete") and 1 or 0
end

return terminal
