//! The tests: `check test`. DELTAWIRE, DELTAWIRE_CASES and DELTAWIRE_BUILD, which has the programs, are set. The last
//! line is `N passed, N failed`.
const std = @import("std");
const deltawire = @import("deltawire.zig");
const harness = @import("harness.zig");
const lines = @import("lines.zig");
const Decoder = deltawire.Decoder;
const Allocator = std.mem.Allocator;
const Test = harness.Test;
const expect = harness.expect;
const expectError = harness.expectError;
const expectText = harness.expectText;

/// Reads a response cut as `cut` gives it. What it says goes to `said`, the problems of its events to `problems`.
const Reading = struct {
    said: std.Io.Writer.Allocating,
    problems: std.Io.Writer.Allocating,

    fn take(reading: *Reading, deltas: *deltawire.Deltas) !void {
        while (true) {
            const delta = (deltas.next() catch |err| {
                if (!deltawire.isEventError(err)) return err;
                try reading.problems.writer.print("{s}\n", .{(try deltas.decoder.problem()).message});
                continue;
            }) orelse return;
            try lines.writeDelta(&reading.said.writer, delta);
        }
    }

    /// Each piece is read from memory of its own, which is overwritten then: a decoder may keep no pointer into it.
    fn takePiece(reading: *Reading, decoder: *Decoder, memory: []u8, piece: []const u8) !void {
        const chunk = memory[0..piece.len];
        @memcpy(chunk, piece);
        var deltas = decoder.feed(chunk);
        try reading.take(&deltas);
        @memset(chunk, 0xAA);
    }

    fn end(reading: *Reading, decoder: *Decoder) !void {
        var rest = decoder.finish();
        try reading.take(&rest);
        try lines.writeEnd(&reading.said.writer, try decoder.end());
        try decoder.reset();
    }
};

const Case = struct { name: []const u8, file: []const u8, dialect: deltawire.Dialect, is_short: bool };

fn readCase(t: *Test, case: Case) !void {
    const bytes = try t.read(&.{ t.cases, "/", case.file });
    const want = try t.read(&.{ t.cases, "/", case.name, ".lines" });
    const problems = t.read(&.{ t.cases, "/", case.name, ".errors" }) catch |err| switch (err) {
        error.FileNotFound => "",
        else => return err,
    };
    const memory = try t.gpa.alloc(u8, bytes.len);
    var decoder = try Decoder.init(.{ .dialect = case.dialect });
    defer decoder.deinit();
    var reading: Reading = .{ .said = .init(t.gpa), .problems = .init(t.gpa) };
    for ([_]usize{ @max(bytes.len, 1), 1, 7, 64 }) |size| {
        var pieces = std.mem.window(u8, bytes, size, size);
        while (pieces.next()) |piece| try reading.takePiece(&decoder, memory, piece);
        try check(&reading, &decoder, want, problems);
    }
    if (case.is_short) for (1..@max(bytes.len, 1)) |at| {
        try reading.takePiece(&decoder, memory, bytes[0..at]);
        try reading.takePiece(&decoder, memory, bytes[at..]);
        try check(&reading, &decoder, want, problems);
    };
}

fn check(reading: *Reading, decoder: *Decoder, want: []const u8, problems: []const u8) !void {
    try reading.end(decoder);
    try expectText(want, reading.said.written());
    try expectText(problems, reading.problems.written());
    reading.said.clearRetainingCapacity();
    reading.problems.clearRetainingCapacity();
}

/// Kept to the end, in `gpa`.
fn readCases(t: *Test, gpa: Allocator) ![]const Case {
    var cases: std.ArrayList(Case) = .empty;
    const table = try gpa.dupe(u8, try t.read(&.{ t.cases, "/cases.tsv" }));
    var rows = std.mem.tokenizeScalar(u8, table, '\n');
    while (rows.next()) |row| {
        var fields = std.mem.splitScalar(u8, row, '\t');
        try cases.append(gpa, .{
            .name = fields.next() orelse return error.BadRow,
            .file = fields.next() orelse return error.BadRow,
            .dialect = deltawire.Dialect.fromName(fields.next() orelse "") orelse return error.BadRow,
            .is_short = std.mem.eql(u8, fields.next() orelse return error.BadRow, "1"),
        });
    }
    return cases.items;
}

fn thereAreCases(t: *Test, count: usize) !void {
    _ = t;
    try expect(count >= 30);
}

fn printsWhatTheCommandPrints(t: *Test, cases: []const Case) !void {
    const program = try t.path(&.{ t.build, "/deltas" });
    var at: usize = 0;
    while (at < cases.len) : (at += 40) {
        const path = try t.path(&.{ t.cases, "/", cases[at].file });
        const want = try t.read(&.{ t.cases, "/", cases[at].name, ".lines" });
        const dialect = if (cases[at].dialect == .auto) "auto" else cases[at].dialect.name();
        try expectText(want, (try t.run(.{ .argv = &.{ program, "--dialect", dialect, path } })).out);
        try expectText(want, (try t.run(.{
            .argv = &.{ program, "--dialect", dialect, "--chunk-size", "1", path },
        })).out);
        try expectText(want, (try t.run(.{ .argv = &.{ program, "--dialect", dialect }, .stdin = path })).out);
    }
}

fn exitStatus(t: *Test) !void {
    const program = try t.path(&.{ t.build, "/deltas" });
    for ([_]struct { []const []const u8, u8 }{
        .{ &.{ program, try t.path(&.{ t.data, "serve-chat.sse" }) }, 0 },
        .{ &.{ program, try t.path(&.{ t.data, "serve-cut.sse" }) }, 1 },
        .{ &.{ program, try t.path(&.{ t.data, "serve-error.sse" }) }, 1 },
        .{ &.{ program, "--dialect", "nobody" }, 2 },
        .{ &.{ program, "--chunk-size", "0" }, 2 },
        .{ &.{ program, "no such file" }, 2 },
    }) |pair| try expect((try t.run(.{ .argv = pair[0] })).status == pair[1]);
}

fn event(comptime text: []const u8) []const u8 {
    return "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" ++ text ++ "\"}}]}\n\n";
}

/// That many letters.
fn xs(comptime count: usize) []const u8 {
    return &@as([count]u8, @splat('x'));
}

fn nextText(deltas: *deltawire.Deltas) !?[]const u8 {
    while (try deltas.next()) |delta| {
        if (delta == .text) return delta.text.text;
    }
    return null;
}

fn keptText(t: *Test) !void {
    var decoder = try Decoder.init(.{});
    const memory = try t.gpa.dupe(u8, event("Grüß \\u0000 dich"));
    var deltas = decoder.feed(memory);
    const kept = try t.gpa.dupe(u8, (try nextText(&deltas)).?);
    var more = decoder.feed(event(xs(40)));
    try expectText(xs(40), (try nextText(&more)).?);
    decoder.deinit();
    @memset(memory, 0xAA);
    try expectText("Grüß \x00 dich", kept);
}

fn closed(t: *Test) !void {
    var decoder = try Decoder.init(.{});
    var deltas = decoder.feed(event("a"));
    decoder.deinit();
    decoder.deinit();
    try expectError(error.Closed, deltas.next());
    var rest = decoder.finish();
    try expectError(error.Closed, rest.next());
    try expectError(error.Closed, decoder.end());
    try expectError(error.Closed, decoder.reset());
    try expectError(error.Closed, decoder.problem());
    var message = try deltawire.Message.init();
    message.deinit();
    message.deinit();
    try expectError(error.Closed, message.info());
    try expectError(error.Closed, message.push(.done));
    var client = try deltawire.Client.init(t.gpa, .{}, null);
    var stream = try client.stream(t.gpa, .{ .model = "m" });
    client.deinit();
    client.deinit();
    try expectError(error.Closed, client.stream(t.gpa, .{}));
    stream.deinit();
    stream.deinit();
    stream.cancel();
    try expectError(error.Closed, stream.next());
    try expectError(error.Closed, stream.failure());
}

fn refusedArguments(t: *Test) !void {
    try expect(deltawire.Dialect.fromName("nobody") == null);
    try expect(deltawire.Dialect.fromName("") == null);
    try expect(deltawire.Dialect.fromName("anthropic") == .anthropic);
    try expectError(error.Argument, Decoder.init(.{ .dialect = @fromBackingInt(99) }));
    var message = try deltawire.Message.init();
    defer message.deinit();
    try expectError(error.Argument, message.choice(0));
    try expectError(error.Argument, message.push(.{ .unknown = 99 }));
    try expectError(error.Argument, message.push(.{ .text = .{ .text = "\xFF" } }));
    var diagnostics: deltawire.Client.Diagnostics = .{};
    try expectError(error.BadRequest, deltawire.Client.init(t.gpa, .{ .ca_file = "no such file" }, &diagnostics));
    try expect(diagnostics.message().len > 0);
}

fn cutStream(t: *Test) !void {
    var decoder = try Decoder.init(.{});
    defer decoder.deinit();
    var deltas = decoder.feed(try t.read(&.{ t.data, "serve-cut.sse" }));
    while (try deltas.next()) |_| {}
    var rest = decoder.finish();
    while (try rest.next()) |_| {}
    try expect(try decoder.end() == .truncated);
    try expect(try decoder.dialect() == .openai_chat);
}

fn largeEvent(t: *Test) !void {
    _ = t;
    var decoder = try Decoder.init(.{ .max_event_bytes = 300 });
    defer decoder.deinit();
    var deltas = decoder.feed(comptime event("one") ++ event(xs(400)) ++ event("two"));
    try expectText("one", (try nextText(&deltas)).?);
    try expectError(error.EventTooLarge, deltas.next());
    const problem = try decoder.problem();
    try expectText("DW_ERR_EVENT_TOO_LARGE", problem.status);
    try expect(problem.offset == event("one").len);
    try expect(std.mem.find(u8, problem.message, "300") != null);
    try expectText("two", (try nextText(&deltas)).?);
    try expect(try deltas.next() == null);
}

fn rawBytes(t: *Test) !void {
    _ = t;
    var decoder = try Decoder.init(.{ .dialect = .openai_chat });
    defer decoder.deinit();
    var deltas = decoder.feed("data: no JSON \xFF\x00\n\n");
    try expectError(error.NotJson, deltas.next());
    const delta = (try deltas.next()).?;
    try expectText("no JSON \xFF\x00", delta.other.raw);
}

fn putTogether(t: *Test) !void {
    var decoder = try Decoder.init(.{});
    defer decoder.deinit();
    var message = try deltawire.Message.init();
    defer message.deinit();
    var deltas = decoder.feed(try t.read(&.{ t.data, "serve-chat.sse" }));
    while (try deltas.next()) |delta| try message.push(delta);
    var rest = decoder.finish();
    while (try rest.next()) |delta| try message.push(delta);
    try message.finish(try decoder.end());
    const info = try message.info();
    try expect(info.is_complete and info.end == .complete and info.choices == 1);
    try expect(info.usage.output_tokens == 4 and info.usage.reasoning_tokens == null);
    const choice = try message.choice(0);
    try expectText("Grüß dich", choice.text);
    try expectText("Greet.", choice.reasoning);
    try expect(choice.reason == .stop);

    try message.read(
        \\{"choices":[{"index":0,"message":{"role":"assistant","content":"a\u0000b"}}]}
    , null);
    try expectText("a\x00b", (try message.choice(0)).text);
    var problem: deltawire.Problem = undefined;
    try expectError(error.NotJson, message.read("{", &problem));
    try expectText("DW_ERR_NOT_JSON", problem.status);
}

/// A delta of each kind, made here, comes back from a message as it was put in.
fn pushedDeltas(t: *Test) !void {
    var message = try deltawire.Message.init();
    defer message.deinit();
    for ([_]deltawire.Delta{
        .{ .start = .{ .id = "r1", .model = "m", .role = "assistant" } },
        .{ .text = .{ .choice = 1, .text = "T" } },
        .{ .reasoning = .{ .choice = 1, .text = "R" } },
        .{ .refusal = .{ .choice = 1, .text = "N" } },
        .{ .tool_call_start = .{ .choice = 1, .index = 3, .id = "c1", .name = "f" } },
        .{ .tool_call_arguments = .{ .choice = 1, .index = 3, .fragment = "{" } },
        .{ .tool_call_arguments = .{ .choice = 1, .index = 3, .fragment = "{}", .whole = true } },
        .{ .server_tool_call_start = .{ .choice = 1, .index = 4, .id = "s1", .name = "g" } },
        .{ .server_tool_call_arguments = .{ .choice = 1, .index = 4, .fragment = "[1]" } },
        .{ .finish = .{ .choice = 1, .reason = .tool_calls, .raw = "tool_use" } },
        .{ .usage = .{ .input_tokens = 7, .cached_tokens = 0 } },
        .{ .@"error" = .{ .kind = .overloaded, .code = "busy", .message = "Later", .transient = true } },
        .{ .other = .{ .event = "ping", .raw = "{}" } },
        .done,
    }) |delta| try message.push(delta);
    const info = try message.info();
    try expectText("r1", info.id.?);
    try expectText("m", info.model.?);
    try expectText("assistant", info.role.?);
    try expect(info.usage.input_tokens == 7 and info.usage.cached_tokens == 0 and info.usage.output_tokens == null);
    try expect(info.error_kind == .overloaded and info.error_transient and !info.is_complete);
    try expectText("busy", info.error_code.?);
    try expectText("Later", info.error_message.?);
    const choice = try message.choice(info.choices - 1);
    try expect(choice.index == 1 and choice.reason == .tool_calls);
    try expectText("tool_use", choice.reason_raw);
    try expectText("TRN", try t.path(&.{ choice.text, choice.reasoning, choice.refusal }));
    const call = try message.toolCall(0);
    try expect(call.choice == 1 and call.index == 3 and info.tool_calls == 1 and info.server_tool_calls == 1);
    try expectText("c1", call.id);
    try expectText("f", call.name);
    try expectText("{}", call.arguments);
    try expectText("[1]", (try message.serverToolCall(0)).arguments);
}

fn freed(t: *Test) !void {
    try makeAndFree(t, 1000);
    const before = try t.residentBytes();
    try makeAndFree(t, 10_000);
    const after = try t.residentBytes();
    try expect(after < before + 8 * 1024 * 1024);
}

fn makeAndFree(t: *Test, times: usize) !void {
    for (0..times) |_| {
        // Far more than the decoder's own size is kept for the next chunk, so that a leak shows.
        var decoder = try Decoder.init(.{});
        defer decoder.deinit();
        var deltas = decoder.feed(comptime "data: " ++ xs(4000));
        try expect(try deltas.next() == null);
        var message = try deltawire.Message.init();
        defer message.deinit();
        var client = try deltawire.Client.init(t.gpa, .{}, null);
        defer client.deinit();
        var stream = try client.stream(t.gpa, .{ .model = "m", .messages = &.{.{ .role = "user", .content = "Hi" }} });
        defer stream.deinit();
        _ = t.arena.reset(.retain_capacity);
    }
}

pub fn main(init: std.process.Init) !u8 {
    var t = try Test.init(init);
    const cases = try readCases(&t, init.arena.allocator());
    t.one("there are cases", thereAreCases, .{cases.len});
    for (cases) |case| t.one(case.name, readCase, .{case});
    t.one("the program prints what the command prints", printsWhatTheCommandPrints, .{cases});
    t.one("the program's exit status is 0, 1 or 2", exitStatus, .{});
    t.one("a text that is copied is right after the next call and after the decoder is freed", keptText, .{});
    t.one("use after deinit is an error, and a second deinit does nothing", closed, .{});
    t.one("what is no dialect, no delta or no file is refused", refusedArguments, .{});
    t.one("a stream that is cut says so", cutStream, .{});
    t.one("an event over the limit is an error, and the stream goes on", largeEvent, .{});
    t.one("a payload that is no UTF-8 comes as it is, NUL included", rawBytes, .{});
    t.one("a message puts deltas together, and reads a whole response", putTogether, .{});
    t.one("each kind of delta goes into a message with all its fields", pushedDeltas, .{});
    t.one("objects that are freed leave nothing", freed, .{});
    @import("test_http.zig").all(&t);
    return t.end();
}
