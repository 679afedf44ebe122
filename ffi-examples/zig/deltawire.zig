//! deltawire for Zig: bytes of a streaming LLM response in, deltas out.
//!
//!     var decoder = try deltawire.Decoder.init(.{});
//!     defer decoder.deinit();
//!     var deltas = decoder.feed(chunk);
//!     while (try deltas.next()) |delta| switch (delta) {
//!         .text => |piece| try out.writeAll(piece.text),
//!         else => {},
//!     };
//!
//! Slices that are handed out are borrowed: they end with the next call on the object they came from, its
//! `deinit` among them, and those of a delta also with the chunk. `Allocator.dupe` keeps one. Text is UTF-8 and
//! may have NUL inside; `raw` may be no UTF-8.
//!
//! Objects hold a handle of the library: pass pointers, copy none. After `deinit` every call is `error.Closed`,
//! and a second `deinit` does nothing.
//!
//! The module `c` is what `zig translate-c` makes of `deltawire.h`. All else is in this file, long as it is, so that
//! a program copies just one.
const std = @import("std");
const c = @import("c");
const Allocator = std.mem.Allocator;

// Where translation and the C ABI do not agree on a layout, nothing of what follows can be right.
comptime {
    for (.{
        .{ c.dw_delta, 224 },        .{ c.dw_error, 72 },         .{ c.dw_usage, 56 },
        .{ c.dw_message_info, 208 }, .{ c.dw_choice, 104 },       .{ c.dw_tool_call, 88 },
        .{ c.dw_request, 88 },       .{ c.dw_failure, 144 },      .{ c.dw_decoder_options, 64 },
        .{ c.dw_turn, 32 },          .{ c.dw_client_options, 160 },
    }) |pair| {
        if (@sizeOf(usize) == 8 and @sizeOf(pair[0]) != pair[1])
            @compileError("another layout than the library's: " ++ @typeName(pair[0]));
    }
}

/// One event could not be read. The stream goes on behind it: call on.
pub const EventError = error{ OutOfMemory, EventTooLarge, BadFrame, NotJson };

/// No response came, or it broke off. `Stream.failure` has the details.
pub const TransportError = error{
    BadRequest,
    ConnectFailed,
    TlsFailed,
    Timeout,
    HttpStatus,
    ContentType,
    Encoding,
    Redirect,
    Protocol,
    ConnectionClosed,
    ConnectionReset,
    Truncated,
    LimitExceeded,
    Cancelled,
    TransportFailed,
};

pub const Error = EventError || TransportError || error{
    /// An argument that the library refuses.
    Argument,
    /// The call does not fit what was called before.
    Order,
    /// The library is built without this, or knows no such option.
    Unsupported,
    /// A fault in the library was caught; the object is of no use any more.
    Panic,
    /// A whole response is JSON, but that of no known provider.
    NotAResponse,
    /// The object was freed by `deinit`.
    Closed,
    /// The library at hand has another ABI than the header this was compiled with.
    AbiMismatch,
    /// A status that is newer than this file.
    Unknown,
};

/// Whether an error is that of one event, behind which the stream goes on.
pub fn isEventError(err: anyerror) bool {
    return switch (err) {
        error.OutOfMemory, error.EventTooLarge, error.BadFrame, error.NotJson => true,
        else => false,
    };
}

fn errorOf(status: c_int) Error {
    return switch (status) {
        c.DW_ERR_ARGUMENT => error.Argument,
        c.DW_ERR_ORDER => error.Order,
        c.DW_ERR_UNSUPPORTED => error.Unsupported,
        c.DW_ERR_PANIC => error.Panic,
        c.DW_ERR_NOT_A_RESPONSE => error.NotAResponse,
        c.DW_ERR_OUT_OF_MEMORY => error.OutOfMemory,
        c.DW_ERR_EVENT_TOO_LARGE => error.EventTooLarge,
        c.DW_ERR_BAD_FRAME => error.BadFrame,
        c.DW_ERR_NOT_JSON => error.NotJson,
        c.DW_ERR_REQUEST => error.BadRequest,
        c.DW_ERR_CONNECT => error.ConnectFailed,
        c.DW_ERR_TLS => error.TlsFailed,
        c.DW_ERR_TIMEOUT => error.Timeout,
        c.DW_ERR_STATUS => error.HttpStatus,
        c.DW_ERR_CONTENT_TYPE => error.ContentType,
        c.DW_ERR_ENCODING => error.Encoding,
        c.DW_ERR_REDIRECT => error.Redirect,
        c.DW_ERR_PROTOCOL => error.Protocol,
        c.DW_ERR_CLOSED => error.ConnectionClosed,
        c.DW_ERR_RESET => error.ConnectionReset,
        c.DW_ERR_TRUNCATED => error.Truncated,
        c.DW_ERR_LIMIT => error.LimitExceeded,
        c.DW_ERR_CANCELLED => error.Cancelled,
        c.DW_ERR_TRANSPORT => error.TransportFailed,
        else => error.Unknown,
    };
}

fn check(status: c_int) Error!void {
    if (status != c.DW_OK) return errorOf(status);
}

fn checkAbi() Error!void {
    if (c.dw_abi_version() != c.DW_ABI_VERSION) return error.AbiMismatch;
}

fn text(lent: c.dw_slice) []const u8 {
    return lent.ptr[0..lent.len];
}

/// Null where the provider gave nothing.
fn someText(lent: c.dw_slice) ?[]const u8 {
    return if (lent.len == 0) null else text(lent);
}

fn slice(bytes: ?[]const u8) c.dw_slice {
    const given = bytes orelse return .{ .ptr = null, .len = 0 };
    return .{ .ptr = given.ptr, .len = given.len };
}

/// The version of the library, such as "0.1.0".
pub fn version() []const u8 {
    return std.mem.span(c.dw_version());
}

/// The providers' wire formats.
pub const Dialect = enum(u32) {
    /// As an option: recognise it by the first events. As an answer: not known yet.
    auto = c.DW_DIALECT_AUTO,
    openai_chat = c.DW_DIALECT_OPENAI_CHAT,
    openai_completions = c.DW_DIALECT_OPENAI_COMPLETIONS,
    openai_responses = c.DW_DIALECT_OPENAI_RESPONSES,
    openai_assistants = c.DW_DIALECT_OPENAI_ASSISTANTS,
    anthropic = c.DW_DIALECT_ANTHROPIC,
    anthropic_complete = c.DW_DIALECT_ANTHROPIC_COMPLETE,
    gemini = c.DW_DIALECT_GEMINI,
    gemini_interactions = c.DW_DIALECT_GEMINI_INTERACTIONS,
    cohere = c.DW_DIALECT_COHERE,
    ollama = c.DW_DIALECT_OLLAMA,
    tgi = c.DW_DIALECT_TGI,
    watsonx = c.DW_DIALECT_WATSONX,
    replicate = c.DW_DIALECT_REPLICATE,
    llamacpp = c.DW_DIALECT_LLAMACPP,
    bedrock = c.DW_DIALECT_BEDROCK,
    _,

    /// Such as "openai-chat", or "auto"; null where no dialect has that name.
    pub fn fromName(given: []const u8) ?Dialect {
        if (std.mem.eql(u8, given, "auto")) return .auto;
        const found: Dialect = @fromBackingInt(c.dw_dialect_by_name(given.ptr, given.len));
        return if (found == .auto) null else found;
    }

    /// "unknown" of `auto`. Static.
    pub fn name(dialect: Dialect) []const u8 {
        return std.mem.span(c.dw_dialect_name(@backingInt(dialect)));
    }
};

/// How events are told apart in the bytes.
pub const Framing = enum(u32) {
    auto = c.DW_FRAMING_AUTO,
    sse = c.DW_FRAMING_SSE,
    ndjson = c.DW_FRAMING_NDJSON,
    event_stream = c.DW_FRAMING_EVENT_STREAM,
};

/// What becomes of an event whose blank line is missing at the end of the stream.
pub const Eof = enum(u32) { default = c.DW_EOF_DEFAULT, discard = c.DW_EOF_DISCARD, flush = c.DW_EOF_FLUSH };

/// How a stream ended.
pub const End = enum(u32) {
    unknown = c.DW_END_UNKNOWN,
    /// All came.
    complete = c.DW_END_COMPLETE,
    /// Something is missing, or an error took its place.
    truncated = c.DW_END_TRUNCATED,
    /// It was no stream of a known provider.
    unrecognised = c.DW_END_UNRECOGNISED,
    _,
};

/// Why a choice ended. `none`: it has not.
pub const FinishReason = enum(u32) {
    none = c.DW_FINISH_NONE,
    stop = c.DW_FINISH_STOP,
    length = c.DW_FINISH_LENGTH,
    tool_calls = c.DW_FINISH_TOOL_CALLS,
    content_filter = c.DW_FINISH_CONTENT_FILTER,
    @"error" = c.DW_FINISH_ERROR,
    other = c.DW_FINISH_OTHER,
    _,

    /// Static.
    pub fn name(reason: FinishReason) []const u8 {
        return std.mem.span(c.dw_finish_reason_name(@backingInt(reason)));
    }
};

/// What went wrong at the provider's. `none`: nothing.
pub const ErrorKind = enum(u32) {
    none = c.DW_ERROR_NONE,
    authentication = c.DW_ERROR_AUTHENTICATION,
    permission = c.DW_ERROR_PERMISSION,
    not_found = c.DW_ERROR_NOT_FOUND,
    rate_limit = c.DW_ERROR_RATE_LIMIT,
    overloaded = c.DW_ERROR_OVERLOADED,
    context_length = c.DW_ERROR_CONTEXT_LENGTH,
    invalid_request = c.DW_ERROR_INVALID_REQUEST,
    content_filter = c.DW_ERROR_CONTENT_FILTER,
    timeout = c.DW_ERROR_TIMEOUT,
    server = c.DW_ERROR_SERVER,
    other = c.DW_ERROR_OTHER,
    _,

    /// Static.
    pub fn name(kind: ErrorKind) []const u8 {
        return std.mem.span(c.dw_error_kind_name(@backingInt(kind)));
    }
};

/// Token counts with the provider's meaning; null is what the stream did not give.
pub const Usage = struct {
    input_tokens: ?u64 = null,
    output_tokens: ?u64 = null,
    total_tokens: ?u64 = null,
    cached_tokens: ?u64 = null,
    cache_creation_tokens: ?u64 = null,
    reasoning_tokens: ?u64 = null,

    const known = .{
        .input_tokens = c.DW_USAGE_INPUT_TOKENS,
        .output_tokens = c.DW_USAGE_OUTPUT_TOKENS,
        .total_tokens = c.DW_USAGE_TOTAL_TOKENS,
        .cached_tokens = c.DW_USAGE_CACHED_TOKENS,
        .cache_creation_tokens = c.DW_USAGE_CACHE_CREATION_TOKENS,
        .reasoning_tokens = c.DW_USAGE_REASONING_TOKENS,
    };

    fn from(raw: c.dw_usage) Usage {
        var usage: Usage = .{};
        inline for (comptime std.meta.fieldNames(Usage)) |field| {
            if (raw.known & @field(known, field) != 0) @field(usage, field) = @field(raw, field);
        }
        return usage;
    }

    fn to(usage: Usage) c.dw_usage {
        var raw = std.mem.zeroes(c.dw_usage);
        inline for (comptime std.meta.fieldNames(Usage)) |field| {
            if (@field(usage, field)) |count| {
                raw.known |= @field(known, field);
                @field(raw, field) = count;
            }
        }
        return raw;
    }
};

/// One piece of news from a stream. The tags are the names that the command `deltawire` prints.
pub const Delta = union(enum) {
    /// The message begins. Comes again where the provider changes one of these.
    start: struct { id: ?[]const u8 = null, model: ?[]const u8 = null, role: ?[]const u8 = null },
    /// A piece of the reply.
    text: Piece,
    /// A piece of the model's reasoning or of its summary.
    reasoning: Piece,
    /// A piece of the model's refusal to answer.
    refusal: Piece,
    /// A tool call begins, or one that is known gets the ID or name it lacked, or is returned to.
    tool_call_start: ToolCallStart,
    tool_call_arguments: ToolCallArguments,
    /// The same of a tool that the provider runs: nothing is left to do.
    server_tool_call_start: ToolCallStart,
    server_tool_call_arguments: ToolCallArguments,
    /// A choice is at its end; `raw` is the provider's word for it.
    finish: struct { choice: u32 = 0, reason: FinishReason, raw: []const u8 = "" },
    /// Token counts so far. Each number replaces the one before it.
    usage: Usage,
    /// The provider reports an error. `transient`: the same request may succeed later. `raw`: the payload.
    @"error": struct {
        kind: ErrorKind,
        code: ?[]const u8 = null,
        message: []const u8 = "",
        transient: bool = false,
        raw: []const u8 = "",
    },
    /// What has no place among the others: what it is, and the whole payload.
    other: struct { event: []const u8, raw: []const u8 },
    /// The provider's own end of the stream.
    done,
    /// A kind that is newer than this file, as a number.
    unknown: u32,

    pub const Piece = struct { choice: u32 = 0, text: []const u8 };
    /// `index` is the call's on the wire, from -1.
    pub const ToolCallStart = struct { choice: u32 = 0, index: i32, id: ?[]const u8 = null, name: ?[]const u8 = null };
    /// `whole`: the fragment is all of the arguments, in place of any that came before.
    pub const ToolCallArguments = struct { choice: u32 = 0, index: i32, fragment: []const u8, whole: bool = false };

    fn from(raw: *const c.dw_delta) Delta {
        return switch (raw.kind) {
            c.DW_DELTA_START => .{ .start = .{
                .id = someText(raw.id),
                .model = someText(raw.model),
                .role = someText(raw.role),
            } },
            c.DW_DELTA_TEXT => .{ .text = piece(raw) },
            c.DW_DELTA_REASONING => .{ .reasoning = piece(raw) },
            c.DW_DELTA_REFUSAL => .{ .refusal = piece(raw) },
            c.DW_DELTA_TOOL_CALL_START => .{ .tool_call_start = callStart(raw) },
            c.DW_DELTA_TOOL_CALL_ARGUMENTS => .{ .tool_call_arguments = callArguments(raw) },
            c.DW_DELTA_SERVER_TOOL_CALL_START => .{ .server_tool_call_start = callStart(raw) },
            c.DW_DELTA_SERVER_TOOL_CALL_ARGUMENTS => .{ .server_tool_call_arguments = callArguments(raw) },
            c.DW_DELTA_FINISH => .{ .finish = .{
                .choice = raw.choice,
                .reason = @fromBackingInt(raw.finish_reason),
                .raw = text(raw.raw),
            } },
            c.DW_DELTA_USAGE => .{ .usage = .from(raw.usage) },
            c.DW_DELTA_ERROR => .{ .@"error" = .{
                .kind = @fromBackingInt(raw.error_kind),
                .code = someText(raw.code),
                .message = text(raw.text),
                .transient = raw.flags & c.DW_DELTA_TRANSIENT != 0,
                .raw = text(raw.raw),
            } },
            c.DW_DELTA_OTHER => .{ .other = .{ .event = text(raw.name), .raw = text(raw.raw) } },
            c.DW_DELTA_DONE => .done,
            else => .{ .unknown = raw.kind },
        };
    }

    fn piece(raw: *const c.dw_delta) Piece {
        return .{ .choice = raw.choice, .text = text(raw.text) };
    }

    fn callStart(raw: *const c.dw_delta) ToolCallStart {
        return .{ .choice = raw.choice, .index = raw.index, .id = someText(raw.id), .name = someText(raw.name) };
    }

    fn callArguments(raw: *const c.dw_delta) ToolCallArguments {
        return .{
            .choice = raw.choice,
            .index = raw.index,
            .fragment = text(raw.text),
            .whole = raw.flags & c.DW_DELTA_WHOLE != 0,
        };
    }

    fn to(delta: Delta) c.dw_delta {
        var raw = std.mem.zeroes(c.dw_delta);
        raw.kind = switch (delta) {
            .start => c.DW_DELTA_START,
            .text => c.DW_DELTA_TEXT,
            .reasoning => c.DW_DELTA_REASONING,
            .refusal => c.DW_DELTA_REFUSAL,
            .tool_call_start => c.DW_DELTA_TOOL_CALL_START,
            .tool_call_arguments => c.DW_DELTA_TOOL_CALL_ARGUMENTS,
            .server_tool_call_start => c.DW_DELTA_SERVER_TOOL_CALL_START,
            .server_tool_call_arguments => c.DW_DELTA_SERVER_TOOL_CALL_ARGUMENTS,
            .finish => c.DW_DELTA_FINISH,
            .usage => c.DW_DELTA_USAGE,
            .@"error" => c.DW_DELTA_ERROR,
            .other => c.DW_DELTA_OTHER,
            .done => c.DW_DELTA_DONE,
            .unknown => |kind| kind,
        };
        switch (delta) {
            .start => |it| {
                raw.id = slice(it.id);
                raw.model = slice(it.model);
                raw.role = slice(it.role);
            },
            .text, .reasoning, .refusal => |it| {
                raw.choice = it.choice;
                raw.text = slice(it.text);
            },
            .tool_call_start, .server_tool_call_start => |it| {
                raw.choice = it.choice;
                raw.index = it.index;
                raw.id = slice(it.id);
                raw.name = slice(it.name);
            },
            .tool_call_arguments, .server_tool_call_arguments => |it| {
                raw.choice = it.choice;
                raw.index = it.index;
                raw.text = slice(it.fragment);
                if (it.whole) raw.flags |= c.DW_DELTA_WHOLE;
            },
            .finish => |it| {
                raw.choice = it.choice;
                raw.finish_reason = @backingInt(it.reason);
                raw.raw = slice(it.raw);
            },
            .usage => |it| raw.usage = it.to(),
            .@"error" => |it| {
                raw.error_kind = @backingInt(it.kind);
                raw.code = slice(it.code);
                raw.text = slice(it.message);
                raw.raw = slice(it.raw);
                if (it.transient) raw.flags |= c.DW_DELTA_TRANSIENT;
            },
            .other => |it| {
                raw.name = slice(it.event);
                raw.raw = slice(it.raw);
            },
            .done, .unknown => {},
        }
        return raw;
    }
};

/// What is wrong with an event, or with a response.
pub const Problem = struct {
    /// Such as "DW_ERR_NOT_JSON". Static.
    status: []const u8,
    /// Where the event begins, in bytes from the start of the stream.
    offset: u64,
    /// How far into the payload it is JSON, in bytes, of `error.NotJson`.
    at: u64,
    /// What to tell a person.
    message: []const u8,

    fn from(raw: c.dw_error) Problem {
        return .{
            .status = std.mem.span(c.dw_status_name(raw.status)),
            .offset = raw.offset,
            .at = raw.at,
            .message = text(raw.message),
        };
    }
};

/// Makes deltas of the bytes of one response.
pub const Decoder = struct {
    handle: ?*c.dw_decoder,

    pub const Options = struct {
        dialect: Dialect = .auto,
        framing: Framing = .auto,
        eof: Eof = .default,
        /// The largest event that is accepted, in bytes; 0 stands for 16 MiB.
        max_event_bytes: usize = 0,
        /// Do without templates. Slower by far, the same deltas.
        no_templates: bool = false,
        /// A member of an OpenAI chat delta that carries text besides those that are known.
        text_field: []const u8 = "",
        /// The same for reasoning.
        reasoning_field: []const u8 = "",

        fn to(options: Options) c.dw_decoder_options {
            var raw = std.mem.zeroes(c.dw_decoder_options);
            raw.struct_size = @sizeOf(c.dw_decoder_options);
            raw.dialect = @backingInt(options.dialect);
            raw.framing = @backingInt(options.framing);
            raw.eof = @backingInt(options.eof);
            raw.flags = if (options.no_templates) c.DW_DECODER_NO_TEMPLATES else 0;
            raw.max_event_bytes = options.max_event_bytes;
            raw.text_field = slice(options.text_field);
            raw.reasoning_field = slice(options.reasoning_field);
            return raw;
        }
    };

    /// Options are copied. `error.Argument`: a dialect that there is not.
    pub fn init(options: Options) Error!Decoder {
        try checkAbi();
        const raw = options.to();
        var handle: ?*c.dw_decoder = null;
        try check(c.dw_decoder_new(&raw, &handle));
        return .{ .handle = handle };
    }

    pub fn deinit(decoder: *Decoder) void {
        c.dw_decoder_free(decoder.handle);
        decoder.handle = null;
    }

    /// The deltas of the next bytes of the body, which are read where they lie. Call `next` until it returns null;
    /// what an event lacks is kept for the next chunk.
    pub fn feed(decoder: *Decoder, chunk: []const u8) Deltas {
        return .{ .decoder = decoder, .input = .{ .data = chunk.ptr, .len = chunk.len, .pos = 0 } };
    }

    /// Ends the stream: the deltas of what it left unfinished. Then `end` says how it ended.
    pub fn finish(decoder: *Decoder) Deltas {
        return .{ .decoder = decoder, .input = null };
    }

    /// Forgets the stream and begins another one. Options and memory are kept.
    pub fn reset(decoder: *Decoder) Error!void {
        try check(c.dw_decoder_reset(try decoder.open()));
    }

    /// How the stream ended, or would have if it ended here.
    pub fn end(decoder: *const Decoder) Error!End {
        return @fromBackingInt(c.dw_decoder_end(try decoder.open()));
    }

    /// Whose response it is; `auto` as long as it is not known.
    pub fn dialect(decoder: *const Decoder) Error!Dialect {
        return @fromBackingInt(c.dw_decoder_dialect(try decoder.open()));
    }

    /// How many bytes of the stream were used.
    pub fn offset(decoder: *const Decoder) Error!u64 {
        return c.dw_decoder_offset(try decoder.open());
    }

    /// How many events were dispatched.
    pub fn events(decoder: *const Decoder) Error!u64 {
        return c.dw_decoder_events(try decoder.open());
    }

    /// The lines that are no part of an event stream, up to 64 KiB: what a server sent in its place.
    pub fn seen(decoder: *const Decoder) Error![]const u8 {
        var raw: c.dw_slice = undefined;
        try check(c.dw_decoder_seen(try decoder.open(), &raw));
        return text(raw);
    }

    /// The details of the last error that `next` returned.
    pub fn problem(decoder: *const Decoder) Error!Problem {
        var raw: c.dw_error = undefined;
        try check(c.dw_decoder_error(try decoder.open(), &raw));
        return .from(raw);
    }

    fn open(decoder: *const Decoder) error{Closed}!*c.dw_decoder {
        return decoder.handle orelse error.Closed;
    }
};

/// Iterates over the deltas of a chunk, or of the end of a stream. Borrows the decoder and the chunk.
pub const Deltas = struct {
    decoder: *Decoder,
    input: ?c.dw_input,

    /// The next delta, or null where the chunk is used up. After an `EventError` call on.
    pub fn next(it: *Deltas) Error!?Delta {
        const handle = try it.decoder.open();
        var raw: c.dw_delta = undefined;
        const status = if (it.input) |*input|
            c.dw_decoder_next(handle, input, &raw)
        else
            c.dw_decoder_finish(handle, &raw);
        return switch (status) {
            c.DW_DELTA => .from(&raw),
            c.DW_OK => null,
            else => errorOf(status),
        };
    }
};

/// A reply put together: give it the deltas of a stream, or a whole response. It copies what it keeps.
pub const Message = struct {
    handle: ?*c.dw_message,

    pub const Info = struct {
        id: ?[]const u8,
        model: ?[]const u8,
        role: ?[]const u8,
        usage: Usage,
        choices: usize,
        tool_calls: usize,
        server_tool_calls: usize,
        end: End,
        /// The stream came to its end and reported no error.
        is_complete: bool,
        /// The first error that the provider reported.
        error_kind: ErrorKind,
        error_transient: bool,
        error_code: ?[]const u8,
        error_message: ?[]const u8,
    };

    pub const Choice = struct {
        index: u32,
        reason: FinishReason,
        reason_raw: []const u8,
        text: []const u8,
        reasoning: []const u8,
        refusal: []const u8,
    };

    pub const ToolCall = struct {
        choice: u32,
        index: i32,
        id: []const u8,
        name: []const u8,
        /// JSON text, if the model wrote it right.
        arguments: []const u8,

        fn from(raw: c.dw_tool_call) ToolCall {
            return .{
                .choice = raw.choice,
                .index = raw.index,
                .id = text(raw.id),
                .name = text(raw.name),
                .arguments = text(raw.arguments),
            };
        }
    };

    pub fn init() Error!Message {
        try checkAbi();
        var handle: ?*c.dw_message = null;
        try check(c.dw_message_new(&handle));
        return .{ .handle = handle };
    }

    pub fn deinit(message: *Message) void {
        c.dw_message_free(message.handle);
        message.handle = null;
    }

    /// `error.Argument`: a kind that is not known, or text that is not UTF-8.
    pub fn push(message: *Message, delta: Delta) Error!void {
        const raw = delta.to();
        try check(c.dw_message_push(try message.open(), &raw));
    }

    /// Notes how the stream ended, as `Decoder.end` said.
    pub fn finish(message: *Message, end: End) Error!void {
        try check(c.dw_message_finish(try message.open(), @backingInt(end)));
    }

    /// Reads a whole response in place of what the message had. `problem`, where it is given, receives what is wrong,
    /// with `error.NotJson` and `error.NotAResponse`.
    pub fn read(message: *Message, body: []const u8, problem: ?*Problem) Error!void {
        var raw: c.dw_error = undefined;
        const status = c.dw_message_read(try message.open(), body.ptr, body.len, &raw);
        if (status == c.DW_ERR_NOT_JSON or status == c.DW_ERR_NOT_A_RESPONSE) {
            if (problem) |it| it.* = .from(raw);
        }
        try check(status);
    }

    pub fn info(message: *const Message) Error!Info {
        var raw: c.dw_message_info = undefined;
        try check(c.dw_message_get(try message.open(), &raw));
        return .{
            .id = someText(raw.id),
            .model = someText(raw.model),
            .role = someText(raw.role),
            .usage = .from(raw.usage),
            .choices = raw.choices,
            .tool_calls = raw.tool_calls,
            .server_tool_calls = raw.server_tool_calls,
            .end = @fromBackingInt(raw.end),
            .is_complete = raw.is_complete != 0,
            .error_kind = @fromBackingInt(raw.error_kind),
            .error_transient = raw.error_transient != 0,
            .error_code = someText(raw.error_code),
            .error_message = someText(raw.error_message),
        };
    }

    /// `at` from 0, below `Info.choices`; else `error.Argument`, as with the calls below.
    pub fn choice(message: *const Message, at: usize) Error!Choice {
        var raw: c.dw_choice = undefined;
        try check(c.dw_message_choice(try message.open(), at, &raw));
        return .{
            .index = raw.index,
            .reason = @fromBackingInt(raw.finish_reason),
            .reason_raw = text(raw.finish_raw),
            .text = text(raw.text),
            .reasoning = text(raw.reasoning),
            .refusal = text(raw.refusal),
        };
    }

    pub fn toolCall(message: *const Message, at: usize) Error!ToolCall {
        var raw: c.dw_tool_call = undefined;
        try check(c.dw_message_tool_call(try message.open(), at, &raw));
        return .from(raw);
    }

    /// A call of a tool that the provider ran itself.
    pub fn serverToolCall(message: *const Message, at: usize) Error!ToolCall {
        var raw: c.dw_tool_call = undefined;
        try check(c.dw_message_server_tool_call(try message.open(), at, &raw));
        return .from(raw);
    }

    fn open(message: *const Message) error{Closed}!*c.dw_message {
        return message.handle orelse error.Closed;
    }
};

/// Whose conventions a request follows.
pub const Provider = enum(u32) {
    openai = c.DW_PROVIDER_OPENAI,
    azure = c.DW_PROVIDER_AZURE,
    anthropic = c.DW_PROVIDER_ANTHROPIC,
    gemini = c.DW_PROVIDER_GEMINI,
    ollama = c.DW_PROVIDER_OLLAMA,
};

/// Whom to ask, and the connections to it. Streams may outlive it.
pub const Client = struct {
    handle: ?*c.dw_client,

    pub const Header = struct { name: []const u8, value: []const u8 };

    pub const Options = struct {
        provider: Provider = .openai,
        /// Such as "https://api.openai.com/v1"; empty for the provider's own.
        base_url: []const u8 = "",
        key: []const u8 = "",
        api_version: []const u8 = "",
        /// "direct" for none; empty for what the environment says.
        proxy: []const u8 = "",
        /// Certificates in PEM, trusted in place of Mozilla's.
        ca_file: []const u8 = "",
        headers: []const Header = &.{},
        /// Milliseconds; 0 is the default of 10 s, 600 s, 300 s and none, `unlimited` no limit.
        timeout_connect_ms: u64 = 0,
        timeout_first_byte_ms: u64 = 0,
        timeout_idle_ms: u64 = 0,
        timeout_content_ms: u64 = 0,
        /// Attempts besides the first; null for the default of 2.
        retries: ?u32 = null,
        /// Bytes; 0 stands for 16 MiB.
        max_response_bytes: usize = 0,
        decoder: Decoder.Options = .{},
    };

    pub const unlimited: u64 = std.math.maxInt(u64);

    /// Receives what is wrong with options of a client.
    pub const Diagnostics = struct {
        buffer: [256]u8 = @splat(0),

        pub fn message(diagnostics: *const Diagnostics) []const u8 {
            return std.mem.sliceTo(&diagnostics.buffer, 0);
        }
    };

    /// Options are copied; `gpa` is used during the call alone. `error.BadRequest`: nothing can be asked with them,
    /// and `diagnostics` says why.
    pub fn init(gpa: Allocator, options: Options, diagnostics: ?*Diagnostics) Error!Client {
        try checkAbi();
        const headers = try gpa.alloc(c.dw_header, options.headers.len);
        defer gpa.free(headers);
        for (headers, options.headers) |*raw, header|
            raw.* = .{ .name = slice(header.name), .value = slice(header.value) };
        const decoder = options.decoder.to();
        var raw = std.mem.zeroes(c.dw_client_options);
        raw.struct_size = @sizeOf(c.dw_client_options);
        raw.provider = @backingInt(options.provider);
        raw.base_url = slice(options.base_url);
        raw.key = slice(options.key);
        raw.api_version = slice(options.api_version);
        raw.proxy = slice(options.proxy);
        raw.ca_file = slice(options.ca_file);
        raw.headers = headers.ptr;
        raw.headers_len = headers.len;
        raw.timeout_connect_ms = options.timeout_connect_ms;
        raw.timeout_first_byte_ms = options.timeout_first_byte_ms;
        raw.timeout_idle_ms = options.timeout_idle_ms;
        raw.timeout_content_ms = options.timeout_content_ms;
        if (options.retries) |count| raw.retries = if (count == 0) c.DW_NONE else count;
        raw.max_response_bytes = options.max_response_bytes;
        raw.decoder = &decoder;
        var handle: ?*c.dw_client = null;
        const why: ?[]u8 = if (diagnostics) |it| &it.buffer else null;
        try check(c.dw_client_new(&raw, &handle, if (why) |it| it.ptr else null, if (why) |it| it.len else 0));
        return .{ .handle = handle };
    }

    pub fn deinit(client: *Client) void {
        c.dw_client_free(client.handle);
        client.handle = null;
    }

    /// A stream of a request, which is sent by the first `next` or `fetch`. The request is copied; `gpa` is used
    /// during the call alone.
    pub fn stream(client: *const Client, gpa: Allocator, request: Request) Error!Stream {
        const open = client.handle orelse return error.Closed;
        const turns = try gpa.alloc(c.dw_turn, request.messages.len);
        defer gpa.free(turns);
        for (turns, request.messages) |*raw, turn|
            raw.* = .{ .role = slice(turn.role), .content = slice(turn.content) };
        var raw = std.mem.zeroes(c.dw_request);
        raw.struct_size = @sizeOf(c.dw_request);
        if (request.include_usage) raw.flags |= c.DW_REQUEST_INCLUDE_USAGE;
        if (request.temperature) |temperature| {
            raw.flags |= c.DW_REQUEST_TEMPERATURE;
            raw.temperature = temperature;
        }
        raw.model = slice(request.model);
        raw.turns = turns.ptr;
        raw.turns_len = turns.len;
        raw.max_tokens = request.max_tokens;
        raw.n = request.n;
        raw.path = slice(request.path);
        raw.json = slice(request.json);
        var handle: ?*c.dw_stream = null;
        try check(c.dw_client_stream(open, &raw, &handle));
        return .{ .handle = handle };
    }
};

/// What is asked: a conversation, or `json`, posted to `path`.
pub const Request = struct {
    model: []const u8 = "",
    messages: []const Turn = &.{},
    /// 0 leaves it to the provider, as that of choices.
    max_tokens: u32 = 0,
    n: u32 = 0,
    temperature: ?f64 = null,
    include_usage: bool = false,
    /// Below the base URL, such as "/chat/completions", or a whole URL.
    path: []const u8 = "",
    json: []const u8 = "",

    pub const Turn = struct { role: []const u8, content: []const u8 };
};

/// Why a request was not answered, or not to its end.
pub const Failure = struct {
    /// Such as "DW_ERR_STATUS". Static.
    status: []const u8,
    /// Such as 429, of `error.HttpStatus`; else 0.
    http_status: u32,
    kind: ErrorKind,
    transient: bool,
    /// How long the server asks to wait, in milliseconds; else 0.
    retry_after_ms: u64,
    /// Where the event begins that could not be read, in bytes from the start of the stream.
    offset: u64,
    /// What to tell a person. It shows no key.
    message: []const u8,
    code: []const u8,
    /// The provider's message.
    said: []const u8,
    request_id: []const u8,
    /// Of the refusal, up to 64 KiB.
    body: []const u8,
};

/// One request and its response.
pub const Stream = struct {
    handle: ?*c.dw_stream,

    /// No thread may be in a call on the stream, `cancel` included.
    pub fn deinit(stream: *Stream) void {
        c.dw_stream_free(stream.handle);
        stream.handle = null;
    }

    /// Waits for the next delta; null where the response is at its end. After an `EventError` call on. A
    /// `TransportError` comes once, and ends it.
    pub fn next(stream: *Stream) Error!?Delta {
        var raw: c.dw_delta = undefined;
        const status = c.dw_stream_next(try stream.open(), &raw);
        return switch (status) {
            c.DW_DELTA => .from(&raw),
            c.DW_OK => null,
            else => errorOf(status),
        };
    }

    /// Waits for the whole response, which replaces what `message` had.
    pub fn fetch(stream: *Stream, message: *Message) Error!void {
        try check(c.dw_stream_fetch(try stream.open(), try message.open()));
    }

    /// Ends the stream: `next`, in whichever thread it waits, returns `error.Cancelled` at once. May be called from
    /// any thread at any time before `deinit`; not from a signal handler.
    pub fn cancel(stream: *const Stream) void {
        c.dw_stream_cancel(stream.handle);
    }

    pub fn end(stream: *const Stream) Error!End {
        return @fromBackingInt(c.dw_stream_end(try stream.open()));
    }

    /// The details of the last error that `next` or `fetch` returned.
    pub fn failure(stream: *const Stream) Error!Failure {
        var raw: c.dw_failure = undefined;
        try check(c.dw_stream_failure(try stream.open(), &raw));
        return .{
            .status = std.mem.span(c.dw_status_name(raw.status)),
            .http_status = raw.http_status,
            .kind = @fromBackingInt(raw.error_kind),
            .transient = raw.transient != 0,
            .retry_after_ms = raw.retry_after_ms,
            .offset = raw.offset,
            .message = text(raw.message),
            .code = text(raw.code),
            .said = text(raw.said),
            .request_id = text(raw.request_id),
            .body = text(raw.body),
        };
    }

    fn open(stream: *const Stream) error{Closed}!*c.dw_stream {
        return stream.handle orelse error.Closed;
    }
};
