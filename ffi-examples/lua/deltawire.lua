--- Streaming responses of language models, read with deltawire through LuaJIT's ffi.
---
---     local deltawire = require "deltawire"
---     local decoder = deltawire.decoder()
---     for delta, event_error in decoder:feed(chunk) do ... end
---     for delta, event_error in decoder:finish() do ... end
---
--- Every string handed out is a Lua string, copied when its delta is made: it stays right for as long as
--- it is kept. Bytes brought in are read where they lie.
---
--- Errors. One event that cannot be read gives `false` and the event's error in place of a delta; the loop
--- goes on. All else is raised, as a table `deltawire.Error` that `tostring` puts in words.
---
--- `ended` is what is `end` in other languages, a reserved word here. The file is long for what it has to
--- declare of the header, and one for all, so that a program copies just one.
local ffi = require "ffi"

ffi.cdef [[
typedef struct { const uint8_t *ptr; size_t len; } dw_slice;
typedef struct { const uint8_t *data; size_t len; size_t pos; } dw_input;
typedef struct { int32_t status; uint32_t reserved0; uint64_t offset, at; dw_slice message;
                 uint64_t reserved[4]; } dw_error;
typedef struct { uint32_t known, reserved0; uint64_t input_tokens, output_tokens, total_tokens,
                 cached_tokens, cache_creation_tokens, reasoning_tokens; } dw_usage;
typedef struct { uint32_t kind, choice; int32_t index; uint32_t flags, finish_reason, error_kind;
                 dw_slice text, id, name, model, role, code, raw; dw_usage usage;
                 uint64_t reserved[4]; } dw_delta;
typedef struct { uint32_t struct_size, dialect, framing, eof, flags, reserved0; size_t max_event_bytes;
                 dw_slice text_field, reasoning_field; } dw_decoder_options;
typedef struct { dw_slice id, model, role; dw_usage usage; size_t choices, tool_calls,
                 server_tool_calls; uint32_t end_, is_complete, error_kind, error_transient;
                 dw_slice error_code, error_message; uint64_t reserved[4]; } dw_message_info;
typedef struct { uint32_t index, finish_reason; dw_slice finish_raw, text, reasoning, refusal;
                 uint64_t reserved[4]; } dw_choice;
typedef struct { uint32_t choice; int32_t index; dw_slice id, name, arguments;
                 uint64_t reserved[4]; } dw_tool_call;
typedef struct { dw_slice name, value; } dw_header;
typedef struct { uint32_t struct_size, provider; dw_slice base_url, key, api_version, proxy, ca_file;
                 const dw_header *headers; size_t headers_len; uint64_t timeout_connect_ms,
                 timeout_first_byte_ms, timeout_idle_ms, timeout_content_ms; uint32_t retries, reserved0;
                 size_t max_response_bytes; const dw_decoder_options *decoder; } dw_client_options;
typedef struct { dw_slice role, content; } dw_turn;
typedef struct { uint32_t struct_size, flags; dw_slice model; const dw_turn *turns; size_t turns_len;
                 uint32_t max_tokens, n; double temperature; dw_slice path, json; } dw_request;
typedef struct { int32_t status; uint32_t http_status, error_kind, transient; uint64_t retry_after_ms,
                 offset; dw_slice message, code, said, request_id, body; uint64_t reserved[4]; } dw_failure;
typedef struct dw_decoder dw_decoder;
typedef struct dw_message dw_message;
typedef struct dw_client dw_client;
typedef struct dw_stream dw_stream;

const char *dw_version(void);
uint32_t dw_abi_version(void);
const char *dw_status_name(int32_t);
const char *dw_status_message(int32_t);
const char *dw_dialect_name(uint32_t);
uint32_t dw_dialect_by_name(const char *, size_t);
const char *dw_finish_reason_name(uint32_t);
const char *dw_error_kind_name(uint32_t);
const char *dw_delta_kind_name(uint32_t);
int dw_decoder_new(const dw_decoder_options *, dw_decoder **);
void dw_decoder_free(dw_decoder *);
int dw_decoder_next_batch(dw_decoder *, dw_input *, dw_delta *, size_t, size_t *);
int dw_decoder_finish(dw_decoder *, dw_delta *);
int dw_decoder_reset(dw_decoder *);
uint32_t dw_decoder_end(const dw_decoder *);
uint32_t dw_decoder_dialect(const dw_decoder *);
uint64_t dw_decoder_offset(const dw_decoder *);
uint64_t dw_decoder_events(const dw_decoder *);
int dw_decoder_seen(const dw_decoder *, dw_slice *);
int dw_decoder_error(const dw_decoder *, dw_error *);
int dw_message_new(dw_message **);
void dw_message_free(dw_message *);
int dw_message_push(dw_message *, const dw_delta *);
int dw_message_finish(dw_message *, uint32_t);
int dw_message_read(dw_message *, const uint8_t *, size_t, dw_error *);
int dw_message_get(const dw_message *, dw_message_info *);
int dw_message_choice(const dw_message *, size_t, dw_choice *);
int dw_message_tool_call(const dw_message *, size_t, dw_tool_call *);
int dw_message_server_tool_call(const dw_message *, size_t, dw_tool_call *);
int dw_client_new(const dw_client_options *, dw_client **, char *, size_t);
void dw_client_free(dw_client *);
int dw_client_stream(const dw_client *, const dw_request *, dw_stream **);
void dw_stream_free(dw_stream *);
int dw_stream_next(dw_stream *, dw_delta *);
int dw_stream_fetch(dw_stream *, dw_message *);
void dw_stream_cancel(dw_stream *);
uint32_t dw_stream_end(const dw_stream *);
int dw_stream_failure(const dw_stream *, dw_failure *);
]]

local names = { OSX = "libdeltawire.dylib", Windows = "deltawire.dll" }
local library = os.getenv "DELTAWIRE_LIBRARY"
local C = ffi.load(library and library ~= "" and library or names[ffi.os] or "libdeltawire.so.0.1")

assert(C.dw_abi_version() == 1, "deltawire: the library has another ABI than deltawire.lua")
if ffi.abi "64bit" then
    for name, size in pairs {
        dw_delta = 224, dw_error = 72, dw_usage = 56, dw_decoder_options = 64, dw_message_info = 208,
        dw_choice = 104, dw_tool_call = 88, dw_client_options = 160, dw_request = 88, dw_failure = 144,
    } do
        assert(ffi.sizeof(name) == size, "deltawire: wrong size of " .. name)
    end
end

local DELTA, OK, CANCELLED = 1, 0, -33
local WHOLE, TRANSIENT = 1, 2
local NONE = 0xFFFFFFFF
local string_of, new, cast, tonumber = ffi.string, ffi.new, ffi.cast, tonumber

local function table_of_names(name, first, last)
    local t = {}
    for at = first, last do
        t[at] = ffi.string(name(at))
    end
    return t
end
local kind_names = table_of_names(C.dw_delta_kind_name, 1, 13)
local finish_names = table_of_names(C.dw_finish_reason_name, 1, 6)
local error_names = table_of_names(C.dw_error_kind_name, 1, 11)
local end_names = { [0] = "unknown", "complete", "truncated", "unrecognised" }
local provider_numbers = { openai = 0, azure = 1, anthropic = 2, gemini = 3, ollama = 4 }

local function number_of(names_, name)
    for number, known in pairs(names_) do
        if known == name then
            return number
        end
    end
    return 0
end

local function text(slice)
    return string_of(slice.ptr, slice.len)
end

-- nil where the provider gave nothing.
local function some(slice)
    if slice.len > 0 then
        return string_of(slice.ptr, slice.len)
    end
end

-- A number; counts that no Lua number holds stay 64-bit integers of the ffi.
local function count(number)
    return number <= 9007199254740992ULL and tonumber(number) or number
end

-- The slice points into the Lua string, which must outlive it.
local function set(slice, value)
    if value ~= nil then
        if type(value) ~= "string" then
            error("deltawire: a string is expected, got " .. type(value), 3)
        end
        slice.ptr, slice.len = cast("const uint8_t *", value), #value
    end
end

---@class deltawire.Error
---@field status string       such as "DW_ERR_NOT_JSON"
---@field message string      for a person
---@field offset? integer     where the event begins, in bytes from the start of the stream
---@field cancelled? boolean  `Stream:cancel` was called
---@field http_status? integer
---@field kind? string        what the provider says went wrong, such as "authentication"
---@field code? string
---@field said? string        the provider's message
---@field body? string        the body of the refusal, up to 64 KiB
---@field transient? boolean  the same request may succeed later
---@field retry_after_ms? integer
---@field request_id? string
local Error = {}
Error.__index = Error
function Error:__tostring()
    return "deltawire: " .. self.message
end

local function problem(status, message)
    return setmetatable({
        status = string_of(C.dw_status_name(status)),
        message = message or string_of(C.dw_status_message(status)),
    }, Error)
end

local function check(status)
    if status ~= OK then
        error(problem(status), 3)
    end
end

local function is_event_error(status)
    return status <= -10 and status > -20
end

---@class deltawire.Usage  Only the counts that the stream gave.
---@field input_tokens? integer
---@field output_tokens? integer
---@field total_tokens? integer
---@field cached_tokens? integer
---@field cache_creation_tokens? integer
---@field reasoning_tokens? integer
local counts = {
    "input_tokens", "output_tokens", "total_tokens", "cached_tokens", "cache_creation_tokens",
    "reasoning_tokens",
}

local function usage_of(usage, into)
    for at, name in ipairs(counts) do
        if bit.band(usage.known, bit.lshift(1, at - 1)) ~= 0 then
            into[name] = count(usage[name])
        end
    end
    return into
end

---@class deltawire.Delta  One piece of news; the fields it has depend on `type`.
---@field type string    "start", "text", "reasoning", "refusal", "tool_call_start", "tool_call_arguments",
---                      "server_tool_call_start", "server_tool_call_arguments", "finish", "usage",
---                      "error", "other", "done", or "unknown" for what is newer than this file
---@field choice? integer    from 0
---@field text? string       of text, reasoning, refusal
---@field index? integer     of tool calls
---@field fragment? string   of a tool call's arguments
---@field whole? boolean     `fragment` is all of the arguments
---@field id? string
---@field name? string       the tool's
---@field model? string
---@field role? string
---@field reason? string     of finish
---@field raw? string        of finish, error, other: what came on the wire, which may not be UTF-8
---@field kind? string       of error
---@field code? string       of error
---@field message? string    of error
---@field transient? boolean of error
---@field event? string      of other: what it is
---@field usage? deltawire.Usage  of usage

---@return deltawire.Delta
local function delta_of(d)
    local kind = d.kind
    if kind == 2 then
        return { type = "text", choice = d.choice, text = string_of(d.text.ptr, d.text.len) }
    elseif kind == 3 then
        return { type = "reasoning", choice = d.choice, text = text(d.text) }
    elseif kind == 4 then
        return { type = "refusal", choice = d.choice, text = text(d.text) }
    elseif kind == 1 then
        return { type = "start", id = some(d.id), model = some(d.model), role = some(d.role) }
    elseif kind == 5 or kind == 7 then
        return { type = kind_names[kind], choice = d.choice, index = d.index, id = some(d.id),
                 name = some(d.name) }
    elseif kind == 6 or kind == 8 then
        return { type = kind_names[kind], choice = d.choice, index = d.index, fragment = text(d.text),
                 whole = bit.band(d.flags, WHOLE) ~= 0 }
    elseif kind == 9 then
        return { type = "finish", choice = d.choice, reason = finish_names[d.finish_reason] or "unknown",
                 raw = text(d.raw) }
    elseif kind == 10 then
        return { type = "usage", usage = usage_of(d.usage, {}) }
    elseif kind == 11 then
        return { type = "error", kind = error_names[d.error_kind] or "unknown", code = some(d.code),
                 message = text(d.text), transient = bit.band(d.flags, TRANSIENT) ~= 0,
                 raw = text(d.raw) }
    elseif kind == 12 then
        return { type = "other", event = text(d.name), raw = text(d.raw) }
    end
    return { type = kind_names[kind] or "unknown" }
end

---@class deltawire.DecoderOptions
---@field dialect? string          such as "anthropic"; nil or "auto": recognised by the first events
---@field max_event_bytes? integer the largest event that is accepted; nil for 16 MiB
---@field text_field? string       a member of OpenAI's delta that carries text besides those known
---@field reasoning_field? string  the same for reasoning
---@field batch? integer           how many deltas a call into C may fill, 64 unless set

local function decoder_options(options)
    local c = new "dw_decoder_options"
    c.struct_size = ffi.sizeof "dw_decoder_options"
    local name = options.dialect
    if name ~= nil and name ~= "auto" then
        c.dialect = type(name) == "string" and C.dw_dialect_by_name(name, #name) or 0
        if c.dialect == 0 then
            error(problem(-1, "unknown dialect: " .. tostring(name)), 3)
        end
    end
    c.max_event_bytes = options.max_event_bytes or 0
    set(c.text_field, options.text_field)
    set(c.reasoning_field, options.reasoning_field)
    return c
end

---@class deltawire.Decoder
local Decoder = {}
Decoder.__index = Decoder

local function open(self)
    local handle = self.handle
    if handle == nil then
        error("deltawire: used after close", 3)
    end
    return handle
end

-- The ffi frees what is dropped without `close`.
local function own(handle, free)
    return ffi.gc(handle, free)
end

local function close(self, free)
    local handle = self.handle
    if handle ~= nil then
        self.handle = nil
        free(ffi.gc(handle, nil))
    end
end

---Reads one response.
---@param options? deltawire.DecoderOptions
---@return deltawire.Decoder
local function decoder(options)
    options = options or {}
    local out = new "dw_decoder *[1]"
    check(C.dw_decoder_new(decoder_options(options), out))
    local capacity = options.batch or 64
    assert(capacity >= 1, "deltawire: batch has to be 1 or more")
    return setmetatable({
        handle = own(out[0], C.dw_decoder_free), capacity = capacity, at = 0, count = 0, chunk = "",
        batch = new("dw_delta[?]", capacity), input = new "dw_input", counted = new "size_t[1]",
    }, Decoder)
end

local function decoder_problem(self, status)
    local details = new "dw_error"
    local found = problem(status)
    if C.dw_decoder_error(self.handle, details) == OK then
        found.message, found.offset = text(details.message), count(details.offset)
    end
    return found
end

-- An iterator without a closure, which LuaJIT would not compile: what it knows lies in the decoder.
local function next_delta(self)
    local handle = open(self)
    local at = self.at
    if at < self.count then
        self.at = at + 1
        return delta_of(self.batch[at])
    end
    local status = C.dw_decoder_next_batch(handle, self.input, self.batch, self.capacity, self.counted)
    if status == DELTA then
        self.at, self.count = 1, tonumber(self.counted[0])
        return delta_of(self.batch[0])
    end
    self.at, self.count = 0, 0
    if is_event_error(status) then
        return false, decoder_problem(self, status)
    end
    check(status)
end

---The deltas of the next bytes of the response. What a loop that is left early has not read of `chunk`
---is dropped when the next chunk comes.
---@param chunk string
---@return fun(decoder): deltawire.Delta|false|nil, deltawire.Error?
---@return deltawire.Decoder
function Decoder:feed(chunk)
    open(self)
    if type(chunk) ~= "string" then
        error("deltawire: a string is expected, got " .. type(chunk), 2)
    end
    local input = self.input
    -- The string must live as long as `input` points into it.
    self.chunk = chunk
    input.data, input.len, input.pos = chunk, #chunk, 0
    self.at, self.count = 0, 0
    return next_delta, self
end

local function next_of_finish(self)
    local status = C.dw_decoder_finish(open(self), self.batch)
    if status == DELTA then
        return delta_of(self.batch[0])
    elseif is_event_error(status) then
        return false, decoder_problem(self, status)
    end
    check(status)
end

---What only the end of the body can show. Ask `ended` behind it.
function Decoder:finish()
    open(self)
    self.at, self.count = 0, 0
    return next_of_finish, self
end

---"complete", "truncated", "unrecognised", or "unknown" as long as nobody has said.
---@return string
function Decoder:ended()
    return end_names[C.dw_decoder_end(open(self))] or "unknown"
end

---Whose response it is; nil as long as that is not known.
---@return string?
function Decoder:dialect()
    local dialect = C.dw_decoder_dialect(open(self))
    return dialect ~= 0 and string_of(C.dw_dialect_name(dialect)) or nil
end

---How many bytes of the response were used.
function Decoder:offset()
    return count(C.dw_decoder_offset(open(self)))
end

---How many events there were.
function Decoder:events()
    return count(C.dw_decoder_events(open(self)))
end

---The lines that are no part of an event stream, up to 64 KiB: a web page in its place.
---@return string
function Decoder:seen()
    local slice = new "dw_slice"
    check(C.dw_decoder_seen(open(self), slice))
    return text(slice)
end

---Begins another response; options and memory are kept.
function Decoder:reset()
    check(C.dw_decoder_reset(open(self)))
    self.at, self.count, self.chunk = 0, 0, ""
    self.input.len, self.input.pos = 0, 0
end

---Frees the decoder; a second time does nothing.
function Decoder:close()
    close(self, C.dw_decoder_free)
end

---@class deltawire.Message
local Message = {}
Message.__index = Message

---Puts deltas together.
---@return deltawire.Message
local function message()
    local out = new "dw_message *[1]"
    check(C.dw_message_new(out))
    return setmetatable({ handle = own(out[0], C.dw_message_free) }, Message)
end

---@param delta deltawire.Delta
function Message:push(delta)
    local handle = open(self)
    local d = new "dw_delta"
    d.kind = number_of(kind_names, delta.type)
    d.choice, d.index = delta.choice or 0, delta.index or 0
    d.flags = (delta.whole and WHOLE or 0) + (delta.transient and TRANSIENT or 0)
    d.finish_reason = number_of(finish_names, delta.reason)
    d.error_kind = number_of(error_names, delta.kind)
    set(d.text, delta.text or delta.fragment or delta.message)
    set(d.name, delta.name or delta.event)
    for _, field in ipairs { "id", "model", "role", "code", "raw" } do
        set(d[field], delta[field])
    end
    for at, name in ipairs(counts) do
        if delta.usage and delta.usage[name] then
            d.usage.known = d.usage.known + bit.lshift(1, at - 1)
            d.usage[name] = delta.usage[name]
        end
    end
    check(C.dw_message_push(handle, d))
end

---Notes how the stream ended.
---@param ended string  as `Decoder:ended` and `Stream:ended` say it
function Message:finish(ended)
    check(C.dw_message_finish(open(self), number_of(end_names, ended)))
end

---Reads a whole response that was not streamed, in place of what there was.
---@param body string  JSON
function Message:read(body)
    local details = new "dw_error"
    local status = C.dw_message_read(open(self), body, #body, details)
    if status == -13 or status == -5 then
        error(problem(status, text(details.message)), 2)
    end
    check(status)
end

local function calls_of(handle, how_many, get)
    local calls, call = {}, new "dw_tool_call"
    for at = 0, tonumber(how_many) - 1 do
        check(get(handle, at, call))
        calls[at + 1] = { choice = call.choice, index = call.index, id = text(call.id),
                          name = text(call.name), arguments = text(call.arguments) }
    end
    return calls
end

---All that is known, as a table of its own: `id`, `model`, `role`, `usage`, `choices` (each with `index`,
---`text`, `reasoning`, `refusal`, `reason`, `raw`), `tool_calls`, `server_tool_calls`, `ended`,
---`complete`, `error` (nil, or `kind`, `code`, `message`, `transient`).
function Message:get()
    local handle, info, c = open(self), new "dw_message_info", new "dw_choice"
    check(C.dw_message_get(handle, info))
    local all = { id = some(info.id), model = some(info.model), role = some(info.role),
                  usage = usage_of(info.usage, {}), choices = {}, ended = end_names[info.end_],
                  complete = info.is_complete == 1 }
    if info.error_kind ~= 0 then
        all.error = { kind = error_names[info.error_kind] or "unknown", code = some(info.error_code),
                      message = text(info.error_message), transient = info.error_transient == 1 }
    end
    for at = 0, tonumber(info.choices) - 1 do
        check(C.dw_message_choice(handle, at, c))
        all.choices[at + 1] = { index = c.index, text = text(c.text), reasoning = text(c.reasoning),
                                refusal = text(c.refusal), reason = finish_names[c.finish_reason],
                                raw = some(c.finish_raw) }
    end
    all.tool_calls = calls_of(handle, info.tool_calls, C.dw_message_tool_call)
    all.server_tool_calls = calls_of(handle, info.server_tool_calls, C.dw_message_server_tool_call)
    return all
end

---Frees the message; a second time does nothing.
function Message:close()
    close(self, C.dw_message_free)
end

---@class deltawire.ClientOptions  Times are in milliseconds.
---@field provider? string  "openai", "azure", "anthropic", "gemini", "ollama"
---@field base_url? string
---@field key? string
---@field api_version? string
---@field proxy? string
---@field ca_file? string
---@field headers? table<string, string>
---@field timeout_connect_ms? integer     nil for 10 s
---@field timeout_first_byte_ms? integer  nil for 600 s
---@field timeout_idle_ms? integer        nil for 300 s
---@field timeout_content_ms? integer     nil for ever
---@field retries? integer                nil for 2
---@field decoder? deltawire.DecoderOptions

---@class deltawire.Client
local Client = {}
Client.__index = Client

---Whom to ask.
---@param options? deltawire.ClientOptions
---@return deltawire.Client
local function client(options)
    options = options or {}
    local c = new "dw_client_options"
    c.struct_size = ffi.sizeof "dw_client_options"
    c.provider = provider_numbers[options.provider or "openai"] or NONE
    for _, field in ipairs { "base_url", "key", "api_version", "proxy", "ca_file" } do
        set(c[field], options[field])
    end
    for _, field in ipairs { "connect", "first_byte", "idle", "content" } do
        c["timeout_" .. field .. "_ms"] = options["timeout_" .. field .. "_ms"] or 0
    end
    if options.retries then
        c.retries = options.retries == 0 and NONE or options.retries
    end
    local headers, how_many = new("dw_header[?]", 64), 0
    for name, value in pairs(options.headers or {}) do
        assert(how_many < 64, "deltawire: more than 64 headers")
        set(headers[how_many].name, name)
        set(headers[how_many].value, value)
        how_many = how_many + 1
    end
    c.headers, c.headers_len = headers, how_many
    local inner = options.decoder and decoder_options(options.decoder)
    c.decoder = inner
    local out, why = new "dw_client *[1]", new "char[512]"
    local status = C.dw_client_new(c, out, why, 512)
    if status ~= OK then
        error(problem(status, why[0] ~= 0 and string_of(why) or nil), 2)
    end
    return setmetatable({ handle = own(out[0], C.dw_client_free) }, Client)
end

---@class deltawire.Request
---@field model? string
---@field messages? { role: string, content: string }[]
---@field include_usage? boolean
---@field temperature? number
---@field max_tokens? integer
---@field n? integer
---@field path? string  with `json`: where to post to, in place of the above
---@field json? string  the body, which asks for a stream itself

---@class deltawire.Stream
local Stream = {}
Stream.__index = Stream

---A request; it is sent when its first delta is asked for.
---@param request deltawire.Request
---@return deltawire.Stream
function Client:stream(request)
    local handle, messages = open(self), request.messages or {}
    local c, turns = new "dw_request", new("dw_turn[?]", #messages + 1)
    c.struct_size = ffi.sizeof "dw_request"
    for at, turn in ipairs(messages) do
        set(turns[at - 1].role, turn.role)
        set(turns[at - 1].content, turn.content)
    end
    c.turns, c.turns_len = turns, #messages
    c.flags = (request.include_usage and 1 or 0) + (request.temperature and 2 or 0)
    c.temperature = request.temperature or 0
    c.max_tokens, c.n = request.max_tokens or 0, request.n or 0
    set(c.model, request.model)
    set(c.path, request.path)
    set(c.json, request.json)
    local out = new "dw_stream *[1]"
    check(C.dw_client_stream(handle, c, out))
    return setmetatable({ handle = own(out[0], C.dw_stream_free), delta = new "dw_delta" }, Stream)
end

---Frees the client; its streams go on.
function Client:close()
    close(self, C.dw_client_free)
end

local function stream_problem(self, status)
    local f, found = new "dw_failure", problem(status)
    if C.dw_stream_failure(self.handle, f) == OK and f.status == status then
        found.message = some(f.message) or found.message
        found.http_status = f.http_status ~= 0 and f.http_status or nil
        found.kind = error_names[f.error_kind]
        found.transient, found.offset = f.transient == 1, count(f.offset)
        found.retry_after_ms = f.retry_after_ms ~= 0 and count(f.retry_after_ms) or nil
        found.code, found.said, found.request_id = some(f.code), some(f.said), some(f.request_id)
        found.body = some(f.body)
    end
    found.cancelled = status == CANCELLED
    return found
end

local function next_of_stream(self)
    local status = C.dw_stream_next(open(self), self.delta)
    if status == DELTA then
        return delta_of(self.delta)
    elseif is_event_error(status) then
        return false, stream_problem(self, status)
    elseif status ~= OK then
        error(stream_problem(self, status), 2)
    end
end
-- dw_stream_next waits; code that the compiler made would keep signals' hooks from running.
jit.off(next_of_stream)

---The deltas as they come; waits for each. Raises a `deltawire.Error` where there is no response or it
---breaks off.
function Stream:deltas()
    open(self)
    return next_of_stream, self
end

---Waits for the whole response, of a request that asks for no stream, and reads it into `message`.
---@param into deltawire.Message
function Stream:fetch(into)
    local status = C.dw_stream_fetch(open(self), open(into))
    if status ~= OK then
        error(stream_problem(self, status), 2)
    end
end

---Ends the stream: the next delta asked for is an error whose `cancelled` is true. LuaJIT has one thread,
---so this is called between deltas; a wait is ended by `timeout_idle_ms`.
function Stream:cancel()
    C.dw_stream_cancel(open(self))
end

---How the stream ended, as `Decoder:ended`.
---@return string
function Stream:ended()
    return end_names[C.dw_stream_end(open(self))] or "unknown"
end

---Frees the stream and ends its connection; a second time does nothing.
function Stream:close()
    close(self, C.dw_stream_free)
end

return {
    version = ffi.string(C.dw_version()),
    decoder = decoder,
    message = message,
    client = client,
    Error = Error,
    is_error = function(value)
        return getmetatable(value) == Error
    end,
}
