//! A chat on the terminal, on the library's transport.
//!
//!     chat PROMPT
//!
//! OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask. The reply goes to standard output as it comes,
//! what is known of it to standard error. Ctrl-C ends the reply, and what came has been written.
//!
//! Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response, 130 interrupted.
const std = @import("std");
const deltawire = @import("deltawire.zig");
const terminal = @import("terminal.zig");
const Writer = std.Io.Writer;

/// Reads a stream to its end and shows it. The exit status.
fn read(stream: *deltawire.Stream, out: *Writer, err: *Writer) !u8 {
    var is_faulty = false;
    while (true) {
        const delta = (stream.next() catch |problem| {
            try err.print("{s}\n", .{(try stream.failure()).message});
            try err.flush();
            if (problem == error.Cancelled) return 130;
            if (!deltawire.isEventError(problem)) return 3;
            is_faulty = true;
            continue;
        }) orelse break;
        if (try terminal.show(out, err, delta)) is_faulty = true;
    }
    return @intFromBool(is_faulty or try stream.end() != .complete);
}

fn readInThread(stream: *deltawire.Stream, out: *Writer, err: *Writer, status: *anyerror!u8) void {
    defer terminal.Interrupt.done();
    status.* = read(stream, out, err);
}

pub fn main(init: std.process.Init) !u8 {
    const settings = try terminal.Settings.from(init, "chat");
    var interrupt = terminal.Interrupt.block();
    var out = std.Io.File.stdout().writerStreaming(init.io, &.{});
    var err = std.Io.File.stderr().writerStreaming(init.io, &.{});

    var diagnostics: deltawire.Client.Diagnostics = .{};
    var client = deltawire.Client.init(init.gpa, .{
        .base_url = settings.base_url,
        .key = settings.key,
        .retries = 0,
    }, &diagnostics) catch |problem| {
        try err.interface.print("{t}: {s}\n", .{ problem, diagnostics.message() });
        return 3;
    };
    defer client.deinit();
    var stream = try client.stream(init.gpa, .{
        .model = settings.model,
        .messages = &.{.{ .role = "user", .content = settings.prompt }},
        .include_usage = true,
    });
    defer stream.deinit();

    var status: anyerror!u8 = 3;
    const thread = try std.Thread.spawn(.{}, readInThread, .{ &stream, &out.interface, &err.interface, &status });
    if (interrupt.wait()) stream.cancel();
    thread.join();
    try out.interface.writeByte('\n');
    return status;
}
