--- Deltas as the command `deltawire deltas` prints them: a JSON object a line, keys in a fixed order,
--- absent ones left out, no spaces, non-ASCII as it is.
local lines = {}

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
                  ["\b"] = "\\b", ["\f"] = "\\f" }

local function escape(byte)
    return escapes[byte] or ("\\u%04x"):format(byte:byte())
end

-- How many bytes a UTF-8 character at `at` has; what is invalid counts negative, as far as it goes.
local function character(text, at)
    local first = text:byte(at)
    local want = first < 0x80 and 1 or first < 0xC2 and 0 or first < 0xE0 and 2 or first < 0xF0 and 3 or 4
    if want == 0 or first > 0xF4 then
        return -1
    end
    for offset = 1, want - 1 do
        local low, high = 0x80, 0xBF
        if offset == 1 then
            if first == 0xE0 then low = 0xA0 elseif first == 0xF0 then low = 0x90 end
            if first == 0xED then high = 0x9F elseif first == 0xF4 then high = 0x8F end
        end
        local byte = text:byte(at + offset)
        if not byte or byte < low or byte > high then
            return -offset
        end
    end
    return want
end

-- A JSON string. What is not UTF-8, which only `raw` can be, shows as U+FFFD.
local function quote(text)
    if text:find "[\128-\255]" then
        local parts, at = {}, 1
        while at <= #text do
            local len = character(text, at)
            parts[#parts + 1] = len > 0 and text:sub(at, at + len - 1) or "\239\191\189"
            at = at + math.abs(len)
        end
        text = table.concat(parts)
    end
    -- LuaJIT's patterns match NUL as %z alone.
    return '"' .. text:gsub('[%z\1-\31"\\]', escape) .. '"'
end

local function number(value)
    return type(value) == "cdata" and tostring(value):gsub("U?LL$", "") or ("%d"):format(value)
end

local counts = { "input_tokens", "output_tokens", "total_tokens", "cached_tokens",
                 "cache_creation_tokens", "reasoning_tokens" }
local orders = {
    start = { "id", "model", "role" },
    text = { "choice", "text" }, reasoning = { "choice", "text" }, refusal = { "choice", "text" },
    tool_call_start = { "choice", "index", "id", "name" },
    server_tool_call_start = { "choice", "index", "id", "name" },
    tool_call_arguments = { "choice", "index", "fragment" },
    server_tool_call_arguments = { "choice", "index", "fragment" },
    finish = { "choice", "reason", "raw" },
    usage = {},
    error = { "kind", "code", "message", "transient" },
    other = { "event", "raw" },
}

--- The line of a delta.
---@param delta deltawire.Delta
---@return string
function lines.delta(delta)
    local parts = { '{"type":"' .. delta.type .. '"' }
    local function put(key, value)
        if value ~= nil then
            local shown = type(value) == "string" and quote(value)
                or type(value) == "boolean" and tostring(value) or number(value)
            parts[#parts + 1] = ',"' .. key .. '":' .. shown
        end
    end
    for _, key in ipairs(orders[delta.type] or {}) do
        put(key, delta[key])
    end
    if delta.whole then
        put("whole", true)
    end
    for _, key in ipairs(delta.usage and counts or {}) do
        put(key, delta.usage[key])
    end
    return table.concat(parts) .. "}\n"
end

--- The last line.
---@param ended string  as `Decoder:ended` says it
---@return string
function lines.ended(ended)
    return '{"type":"end","complete":' .. tostring(ended == "complete") .. "}\n"
end

return lines
