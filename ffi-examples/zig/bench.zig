//! What reading a stream costs, beside lines and std.json: `bench FILE`, a stream of OpenAI chat chunks.
//!
//! Rows, tab-separated: name, mode, nanoseconds an event, deltas of text, bytes of text. In the mode `16k` the bytes
//! come in pieces of 16 KiB, in `event` one event a piece. The least of five rounds counts, after one that does not.
const std = @import("std");
const deltawire = @import("deltawire.zig");
const Allocator = std.mem.Allocator;
const Text = std.ArrayList(u8);

fn byDeltawire(gpa: Allocator, pieces: []const []const u8, text: *Text) !usize {
    var decoder = try deltawire.Decoder.init(.{});
    defer decoder.deinit();
    var count: usize = 0;
    for (pieces) |piece| {
        var deltas = decoder.feed(piece);
        while (try deltas.next()) |delta| switch (delta) {
            .text => |it| {
                try text.appendSlice(gpa, it.text);
                count += 1;
            },
            else => {},
        };
    }
    var rest = decoder.finish();
    while (try rest.next()) |_| {}
    if (try decoder.end() != .complete) return error.Incomplete;
    return count;
}

/// What is needed of a chunk; std.json skips the rest.
const Chunk = struct {
    choices: []const struct { delta: struct { content: ?[]const u8 = null } },
};

fn contentOfChunk(arena: Allocator, data: []const u8) !?[]const u8 {
    const chunk = try std.json.parseFromSliceLeaky(Chunk, arena, data, .{ .ignore_unknown_fields = true });
    return if (chunk.choices.len > 0) chunk.choices[0].delta.content else null;
}

fn contentOfValue(arena: Allocator, data: []const u8) !?[]const u8 {
    const chunk = try std.json.parseFromSliceLeaky(std.json.Value, arena, data, .{});
    const choices = chunk.object.get("choices").?.array.items;
    if (choices.len == 0) return null;
    const content = choices[0].object.get("delta").?.object.get("content") orelse return null;
    return if (content == .string) content.string else null;
}

/// Lines, and JSON of what follows "data: ". `content` gives the text of one payload.
fn byLines(comptime content: fn (Allocator, []const u8) anyerror!?[]const u8) Read {
    return struct {
        fn read(gpa: Allocator, pieces: []const []const u8, text: *Text) !usize {
            var arena: std.heap.ArenaAllocator = .init(gpa);
            defer arena.deinit();
            var rest: Text = .empty;
            defer rest.deinit(gpa);
            var count: usize = 0;
            for (pieces) |piece| {
                var bytes = piece;
                while (std.mem.findScalar(u8, bytes, '\n')) |end| {
                    var line = bytes[0..end];
                    bytes = bytes[end + 1 ..];
                    // Only a line that a piece's end cut is copied.
                    if (rest.items.len > 0) {
                        try rest.appendSlice(gpa, line);
                        line = rest.items;
                    }
                    defer rest.clearRetainingCapacity();
                    if (!std.mem.startsWith(u8, line, "data: ")) continue;
                    const data = line["data: ".len..];
                    if (std.mem.eql(u8, data, "[DONE]")) continue;
                    if (try content(arena.allocator(), data)) |it| {
                        try text.appendSlice(gpa, it);
                        count += 1;
                    }
                    _ = arena.reset(.retain_capacity);
                }
                try rest.appendSlice(gpa, bytes);
            }
            return count;
        }
    }.read;
}

const Read = fn (Allocator, []const []const u8, *Text) anyerror!usize;

const peers = .{
    .{ "deltawire", byDeltawire },
    .{ "lines + std.json, a struct", byLines(contentOfChunk) },
    .{ "lines + std.json.Value", byLines(contentOfValue) },
};

pub fn main(init: std.process.Init) !u8 {
    const io = init.io;
    const gpa = std.heap.c_allocator;
    const lasting = init.arena.allocator();
    const args = try init.minimal.args.toSlice(lasting);
    if (args.len != 2) {
        std.debug.print("usage: bench FILE\n", .{});
        return 2;
    }
    const bytes = try std.Io.Dir.cwd().readFileAlloc(io, args[1], lasting, .unlimited);
    var by_size: std.ArrayList([]const u8) = .empty;
    var windows = std.mem.window(u8, bytes, 16 * 1024, 16 * 1024);
    while (windows.next()) |piece| try by_size.append(lasting, piece);
    var by_event: std.ArrayList([]const u8) = .empty;
    var at: usize = 0;
    while (at < bytes.len) {
        const end = if (std.mem.findPos(u8, bytes, at, "\n\n")) |blank| blank + 2 else bytes.len;
        try by_event.append(lasting, bytes[at..end]);
        at = end;
    }
    var buffer: [4096]u8 = undefined;
    var out = std.Io.File.stdout().writerStreaming(io, &buffer);
    inline for (.{ .{ "16k", &by_size }, .{ "event", &by_event } }) |mode| {
        inline for (peers) |peer| {
            var least: i96 = std.math.maxInt(i96);
            var count: usize = 0;
            var len: usize = 0;
            for (0..6) |round| {
                var text: Text = .empty;
                defer text.deinit(gpa);
                const start = std.Io.Clock.awake.now(io);
                count = try peer[1](gpa, mode[1].items, &text);
                const taken = start.durationTo(std.Io.Clock.awake.now(io)).nanoseconds;
                if (round > 0) least = @min(least, taken);
                len = text.items.len;
            }
            try out.interface.print("{s}\t{s}\t{d}\t{d}\t{d}\n", .{
                peer[0], mode[0], @divTrunc(least, @as(i96, @intCast(by_event.items.len))), count, len,
            });
        }
    }
    try out.interface.flush();
    return 0;
}
