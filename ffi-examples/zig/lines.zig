//! Deltas as the command `deltawire deltas` prints them: a JSON object a line, keys in a fixed order, absent ones
//! left out, no spaces, non-ASCII as it is.
const std = @import("std");
const deltawire = @import("deltawire.zig");
const Writer = std.Io.Writer;

/// How many bytes a UTF-8 character at the start of `text` has; what is invalid counts negative, as far as it goes.
fn character(text: []const u8) isize {
    const first = text[0];
    const want: usize = switch (first) {
        0...0x7F => return 1,
        0xC2...0xDF => 2,
        0xE0...0xEF => 3,
        0xF0...0xF4 => 4,
        else => return -1,
    };
    for (1..want) |at| {
        const low: u8, const high: u8 = if (at > 1) .{ 0x80, 0xBF } else switch (first) {
            0xE0 => .{ 0xA0, 0xBF },
            0xED => .{ 0x80, 0x9F },
            0xF0 => .{ 0x90, 0xBF },
            0xF4 => .{ 0x80, 0x8F },
            else => .{ 0x80, 0xBF },
        };
        if (at == text.len or text[at] < low or text[at] > high) return -@as(isize, @intCast(at));
    }
    return @intCast(want);
}

/// A JSON string. What is not UTF-8, which only `raw` can be, shows as U+FFFD.
fn writeString(out: *Writer, text: []const u8) Writer.Error!void {
    try out.writeByte('"');
    var at: usize = 0;
    while (at < text.len) {
        const len = character(text[at..]);
        const bytes = text[at..][0..@abs(len)];
        at += bytes.len;
        if (len < 0) {
            try out.writeAll("\u{FFFD}");
        } else switch (bytes[0]) {
            '"', '\\' => |byte| try out.print("\\{c}", .{byte}),
            '\n' => try out.writeAll("\\n"),
            '\r' => try out.writeAll("\\r"),
            '\t' => try out.writeAll("\\t"),
            0x08 => try out.writeAll("\\b"),
            0x0C => try out.writeAll("\\f"),
            0x00...0x07, 0x0B, 0x0E...0x1F => |byte| try out.print("\\u{x:0>4}", .{byte}),
            else => try out.writeAll(bytes),
        }
    }
    try out.writeByte('"');
}

fn writeText(out: *Writer, key: []const u8, given: ?[]const u8) Writer.Error!void {
    const text = given orelse return;
    try out.print(",\"{s}\":", .{key});
    try writeString(out, text);
}

fn writeNumber(out: *Writer, key: []const u8, number: anytype) Writer.Error!void {
    try out.print(",\"{s}\":{d}", .{ key, number });
}

/// The line of a delta.
pub fn writeDelta(out: *Writer, delta: deltawire.Delta) Writer.Error!void {
    try out.print("{{\"type\":\"{s}\"", .{@tagName(delta)});
    switch (delta) {
        .start => |it| {
            try writeText(out, "id", it.id);
            try writeText(out, "model", it.model);
            try writeText(out, "role", it.role);
        },
        .text, .reasoning, .refusal => |it| {
            try writeNumber(out, "choice", it.choice);
            try writeText(out, "text", it.text);
        },
        .tool_call_start, .server_tool_call_start => |it| {
            try writeNumber(out, "choice", it.choice);
            try writeNumber(out, "index", it.index);
            try writeText(out, "id", it.id);
            try writeText(out, "name", it.name);
        },
        .tool_call_arguments, .server_tool_call_arguments => |it| {
            try writeNumber(out, "choice", it.choice);
            try writeNumber(out, "index", it.index);
            try writeText(out, "fragment", it.fragment);
            if (it.whole) try out.writeAll(",\"whole\":true");
        },
        .finish => |it| {
            try writeNumber(out, "choice", it.choice);
            try writeText(out, "reason", it.reason.name());
            try writeText(out, "raw", it.raw);
        },
        .usage => |it| inline for (comptime std.meta.fieldNames(deltawire.Usage)) |field| {
            if (@field(it, field)) |count| try writeNumber(out, field, count);
        },
        .@"error" => |it| {
            try writeText(out, "kind", it.kind.name());
            try writeText(out, "code", it.code);
            try writeText(out, "message", it.message);
            try out.print(",\"transient\":{}", .{it.transient});
        },
        .other => |it| {
            try writeText(out, "event", it.event);
            try writeText(out, "raw", it.raw);
        },
        .done, .unknown => {},
    }
    try out.writeAll("}\n");
}

/// The last line.
pub fn writeEnd(out: *Writer, end: deltawire.End) Writer.Error!void {
    try out.print("{{\"type\":\"end\",\"complete\":{}}}\n", .{end == .complete});
}
