//! A chat on the terminal, over std.http.Client: the bytes of the body go into a decoder as they arrive.
//!
//!     http_chat PROMPT
//!
//! Settings and exit status are those of chat.zig.
const std = @import("std");
const deltawire = @import("deltawire.zig");
const terminal = @import("terminal.zig");
const Writer = std.Io.Writer;

/// Shows the deltas of a chunk. True where one was an error, or an event could not be read.
fn show(out: *Writer, err: *Writer, deltas: *deltawire.Deltas) !bool {
    var is_faulty = false;
    while (true) {
        const delta = (deltas.next() catch |problem| {
            if (!deltawire.isEventError(problem)) return problem;
            try err.print("{s}\n", .{(try deltas.decoder.problem()).message});
            try err.flush();
            is_faulty = true;
            continue;
        }) orelse return is_faulty;
        if (try terminal.show(out, err, delta)) is_faulty = true;
    }
}

/// Asks and shows the reply. The exit status.
pub fn ask(gpa: std.mem.Allocator, io: std.Io, settings: terminal.Settings, out: *Writer, err: *Writer) !u8 {
    var decoder = try deltawire.Decoder.init(.{});
    defer decoder.deinit();
    const url = try std.fmt.allocPrint(gpa, "{s}/chat/completions", .{settings.base_url});
    defer gpa.free(url);
    const authorization = try std.fmt.allocPrint(gpa, "Bearer {s}", .{settings.key});
    defer gpa.free(authorization);
    const question = try std.json.Stringify.valueAlloc(gpa, .{
        .model = settings.model,
        .stream = true,
        .stream_options = .{ .include_usage = true },
        .messages = .{.{ .role = "user", .content = settings.prompt }},
    }, .{});
    defer gpa.free(question);

    var client: std.http.Client = .{ .allocator = gpa, .io = io };
    defer client.deinit();
    var request = try client.request(.POST, try .parse(url), .{
        .redirect_behavior = .unhandled,
        .headers = .{
            .content_type = .{ .override = "application/json" },
            .authorization = if (settings.key.len > 0) .{ .override = authorization } else .omit,
            .accept_encoding = .{ .override = "identity" },
        },
    });
    defer request.deinit();
    try request.sendBodyComplete(question);
    var response = try request.receiveHead(&.{});
    const status = response.head.status;
    var buffer: [16 * 1024]u8 = undefined;
    const body = response.reader(&buffer);
    if (status != .ok) {
        const refusal = try body.allocRemaining(gpa, .limited(64 * 1024));
        defer gpa.free(refusal);
        try refuse(err, status, refusal);
        return 3;
    }
    var is_faulty = false;
    while (true) {
        // What is there already, or the next bytes that arrive: no chunk is waited for to be full.
        const bytes = body.peekGreedy(1) catch |problem| {
            if (problem == error.EndOfStream) break;
            if (response.bodyErr()) |cause| return cause;
            if (request.connection.?.getReadError()) |cause| return cause;
            return problem;
        };
        var deltas = decoder.feed(bytes);
        if (try show(out, err, &deltas)) is_faulty = true;
        body.toss(bytes.len);
    }
    var rest = decoder.finish();
    if (try show(out, err, &rest)) is_faulty = true;
    return @intFromBool(is_faulty or try decoder.end() != .complete);
}

/// What the server said in place of a reply: a message reads a provider's error too.
fn refuse(err: *Writer, status: std.http.Status, refusal: []const u8) !void {
    var message = try deltawire.Message.init();
    defer message.deinit();
    try err.print("HTTP status {d}", .{@backingInt(status)});
    if (message.read(refusal, null)) |_| {
        const info = try message.info();
        try err.print(": {s}: {s}", .{ info.error_kind.name(), info.error_message orelse "" });
    } else |_| {}
    try err.writeByte('\n');
    try err.flush();
}

fn askInTask(gpa: std.mem.Allocator, io: std.Io, settings: terminal.Settings, out: *Writer, err: *Writer) anyerror!u8 {
    defer terminal.Interrupt.done();
    return ask(gpa, io, settings, out, err);
}

pub fn main(init: std.process.Init) !u8 {
    const settings = try terminal.Settings.from(init, "http_chat");
    var interrupt = terminal.Interrupt.block();
    var out = std.Io.File.stdout().writerStreaming(init.io, &.{});
    var err = std.Io.File.stderr().writerStreaming(init.io, &.{});
    var task = try init.io.concurrent(askInTask, .{
        init.gpa, init.io, settings, &out.interface, &err.interface,
    });
    const is_interrupted = interrupt.wait();
    const status = if (is_interrupted) task.cancel(init.io) else task.await(init.io);
    try out.interface.writeByte('\n');
    return status catch |problem| {
        try err.interface.print("{t}\n", .{problem});
        return if (is_interrupted) 130 else 3;
    };
}
