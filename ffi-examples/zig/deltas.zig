//! Prints what a recorded response says, a line a delta, as `deltawire deltas` does.
//!
//!     deltas [--dialect D] [--chunk-size N] [FILE]      standard input where there is no FILE or it is -
//!
//! Exit status: 0 done, 1 the stream carried an error or was cut, 2 wrong usage.
const std = @import("std");
const deltawire = @import("deltawire.zig");
const lines = @import("lines.zig");
const File = std.Io.File;

fn usage(comptime why: []const u8, args: anytype) noreturn {
    std.debug.print("deltas: " ++ why ++ "\nusage: deltas [--dialect D] [--chunk-size N] [FILE]\n", args);
    std.process.exit(2);
}

/// Prints all deltas of a chunk. True where one was an error, or an event could not be read.
fn print(out: *std.Io.Writer, deltas: *deltawire.Deltas) !bool {
    var is_faulty = false;
    while (true) {
        const delta = (deltas.next() catch |err| {
            // The stream goes on behind an event that cannot be read.
            if (!deltawire.isEventError(err)) return err;
            std.debug.print("deltas: {s}\n", .{(try deltas.decoder.problem()).message});
            is_faulty = true;
            continue;
        }) orelse return is_faulty;
        if (delta == .@"error") is_faulty = true;
        try lines.writeDelta(out, delta);
    }
}

pub fn main(init: std.process.Init) !u8 {
    const io = init.io;
    var options: deltawire.Decoder.Options = .{};
    var size: usize = 16 * 1024;
    var path: ?[]const u8 = null;
    const args = try init.minimal.args.toSlice(init.arena.allocator());
    var at: usize = 1;
    while (at < args.len) : (at += 1) {
        if (std.mem.eql(u8, args[at], "--dialect")) {
            at += 1;
            if (at == args.len) usage("--dialect needs a name", .{});
            options.dialect = deltawire.Dialect.fromName(args[at]) orelse usage("unknown dialect {s}", .{args[at]});
        } else if (std.mem.eql(u8, args[at], "--chunk-size")) {
            at += 1;
            size = if (at == args.len) 0 else std.fmt.parseInt(usize, args[at], 10) catch 0;
            if (size == 0) usage("--chunk-size needs a number from 1", .{});
        } else if (path != null or (args[at].len > 1 and args[at][0] == '-')) {
            usage("what is {s}?", .{args[at]});
        } else {
            path = args[at];
        }
    }
    var file: File = .stdin();
    if (path) |name| if (!std.mem.eql(u8, name, "-")) {
        file = std.Io.Dir.cwd().openFile(io, name, .{}) catch |err| usage("{s}: {t}", .{ name, err });
    };
    defer file.close(io);
    var buffer: [16 * 1024]u8 = undefined;
    var writer = File.stdout().writerStreaming(io, &buffer);
    const out = &writer.interface;
    const chunk = try init.arena.allocator().alloc(u8, size);

    var decoder = try deltawire.Decoder.init(options);
    defer decoder.deinit();
    var is_faulty = false;
    while (true) {
        const len = file.readStreaming(io, &.{chunk}) catch |err| switch (err) {
            error.EndOfStream => break,
            else => return err,
        };
        var deltas = decoder.feed(chunk[0..len]);
        if (try print(out, &deltas)) is_faulty = true;
        // What a chunk shows is seen before the next one is waited for.
        try out.flush();
    }
    var rest = decoder.finish();
    if (try print(out, &rest)) is_faulty = true;
    const end = try decoder.end();
    try lines.writeEnd(out, end);
    try out.flush();
    return @intFromBool(is_faulty or end != .complete);
}
