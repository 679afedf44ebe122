//! The tests over HTTP: `deltawire serve` replays a reply, the transport and std.http.Client ask for it.
const std = @import("std");
const deltawire = @import("deltawire.zig");
const harness = @import("harness.zig");
const Test = harness.Test;
const expect = harness.expect;
const expectError = harness.expectError;
const expectText = harness.expectText;

const Server = struct {
    child: std.process.Child,
    url: []const u8,

    /// Waits until it listens. `deinit` ends it.
    fn init(t: *Test, options: []const []const u8) !Server {
        const fixed = [_][]const u8{ t.command, "serve", "--port", "0", try t.path(&.{ t.data, "serve-chat.sse" }) };
        var child = try std.process.spawn(t.io, .{
            .argv = try std.mem.concat(t.gpa, []const u8, &.{ &fixed, options }),
            .stdin = .ignore,
            .stdout = .ignore,
            .stderr = .pipe,
        });
        errdefer child.kill(t.io);
        const buffer = try t.gpa.alloc(u8, 4096);
        var reader = child.stderr.?.readerStreaming(t.io, buffer);
        const mark = "listening on ";
        while (true) {
            const line = try reader.interface.takeDelimiterExclusive('\n');
            reader.interface.toss(1);
            if (std.mem.find(u8, line, mark)) |at| {
                return .{ .child = child, .url = try t.gpa.dupe(u8, line[at + mark.len ..]) };
            }
        }
    }

    fn deinit(server: *Server, t: *Test) void {
        server.child.kill(t.io);
    }

    fn ask(server: *Server, t: *Test, options: deltawire.Client.Options) !deltawire.Stream {
        var complete = options;
        complete.base_url = server.url;
        complete.retries = 0;
        var client = try deltawire.Client.init(t.gpa, complete, null);
        // A stream does not need its client any more.
        defer client.deinit();
        return client.stream(t.gpa, .{
            .model = "tiny-chat-1",
            .messages = &.{.{ .role = "user", .content = "Hello" }},
            .include_usage = true,
        });
    }
};

fn streamed(t: *Test) !void {
    var server = try Server.init(t, &.{ "--interval-ms", "100" });
    defer server.deinit(t);
    var stream = try server.ask(t, .{});
    defer stream.deinit();
    var texts: std.ArrayList(u8) = .empty;
    var first: ?i64 = null;
    var last: i64 = 0;
    while (try stream.next()) |delta| {
        last = t.milliseconds();
        if (first == null) first = last;
        if (delta == .text) try texts.appendSlice(t.gpa, delta.text.text);
    }
    try expectText("Grüß dich", texts.items);
    try expect(try stream.end() == .complete);
    try expect(last - first.? > 200);
}

fn cancelLater(stream: *const deltawire.Stream, t: *Test, came: *std.Io.Event, at: *i64) void {
    came.waitUncancelable(t.io);
    t.io.sleep(.fromMilliseconds(100), .awake) catch {};
    at.* = t.milliseconds();
    stream.cancel();
}

fn cancelled(t: *Test) !void {
    var server = try Server.init(t, &.{ "--interval-ms", "2000" });
    defer server.deinit(t);
    var stream = try server.ask(t, .{});
    defer stream.deinit();
    var came: std.Io.Event = .unset;
    var at: i64 = 0;
    const thread = try std.Thread.spawn(.{}, cancelLater, .{ &stream, t, &came, &at });
    defer thread.join();
    defer came.set(t.io);
    var count: usize = 0;
    const why = while (true) {
        _ = (stream.next() catch |err| break err) orelse return error.NotCancelled;
        count += 1;
        came.set(t.io);
    };
    try expect(why == error.Cancelled);
    // `at` was written before the cancelling that ended the loop.
    try expect(t.milliseconds() - at < 1000);
    try expect(count >= 1);
    const failure = try stream.failure();
    try expectText("DW_ERR_CANCELLED", failure.status);
    try expect(std.mem.find(u8, failure.message, "cancel") != null);
    try expect(try stream.end() == .truncated);
}

fn limited(t: *Test) !void {
    var server = try Server.init(t, &.{ "--interval-ms", "5000" });
    defer server.deinit(t);
    var stream = try server.ask(t, .{ .timeout_idle_ms = 200 });
    defer stream.deinit();
    const start = t.milliseconds();
    const why = while (true) {
        _ = (stream.next() catch |err| break err) orelse return error.NoTimeout;
    };
    try expect(why == error.Timeout);
    try expect(t.milliseconds() - start < 4000);
}

fn refused(t: *Test) !void {
    var server = try Server.init(t, &.{ "--key", "right-key" });
    defer server.deinit(t);
    var stream = try server.ask(t, .{ .key = "sk-wrong-key" });
    defer stream.deinit();
    try expectError(error.HttpStatus, stream.next());
    const failure = try stream.failure();
    try expect(failure.http_status == 401 and failure.kind == .authentication and !failure.transient);
    try expect(failure.said.len > 0);
    inline for (.{ failure.message, failure.code, failure.said, failure.request_id, failure.body }) |text| {
        try expect(std.mem.find(u8, text, "wrong-key") == null);
    }
    var right = try server.ask(t, .{ .headers = &.{.{ .name = "authorization", .value = "Bearer right-key" }} });
    defer right.deinit();
    try expect(try right.next() != null);
}

fn fetched(t: *Test) !void {
    var server = try Server.init(t, &.{});
    defer server.deinit(t);
    var stream = try server.ask(t, .{});
    defer stream.deinit();
    var message = try deltawire.Message.init();
    defer message.deinit();
    try stream.fetch(&message);
    try expectText("Grüß dich", (try message.choice(0)).text);
    try expectError(error.Order, stream.fetch(&message));
}

fn program(t: *Test, name: []const u8, url: []const u8, key: []const u8) !Test.Program {
    const settings = [_][2][]const u8{
        .{ "OPENAI_BASE_URL", url },
        .{ "OPENAI_API_KEY", key },
        .{ "OPENAI_MODEL", "tiny-chat-1" },
    };
    return .{
        .argv = try t.gpa.dupe([]const u8, &.{ try t.path(&.{ t.build, "/", name }), "Hello" }),
        .settings = try t.gpa.dupe([2][]const u8, &settings),
    };
}

fn chats(t: *Test, name: []const u8) !void {
    var server = try Server.init(t, &.{ "--key", "right-key" });
    defer server.deinit(t);
    const good = try t.run(try program(t, name, server.url, "right-key"));
    try expectText("Grüß dich\n", good.out);
    try expectText("(4 tokens)", good.err);
    try expect(good.status == 0);

    const bad = try t.run(try program(t, name, server.url, "sk-wrong-key"));
    try expect(bad.status == 3);
    try expect(std.mem.find(u8, bad.err, "401") != null);
    try expect(std.mem.find(u8, bad.err, "Incorrect API key provided") != null);
    try expect(std.mem.find(u8, bad.err, "wrong-key") == null and std.mem.find(u8, bad.out, "wrong-key") == null);

    var usage = try program(t, name, server.url, "right-key");
    usage.argv = usage.argv[0..1];
    try expect((try t.run(usage)).status == 2);
    try expect((try t.run(try program(t, name, "http://127.0.0.1:1/v1", "right-key"))).status == 3);
}

fn chatsAsItComes(t: *Test, name: []const u8) !void {
    var server = try Server.init(t, &.{ "--interval-ms", "400" });
    defer server.deinit(t);
    var child = try t.start(try program(t, name, server.url, ""));
    defer child.kill(t.io);
    var buffer: [64]u8 = undefined;
    const len = try child.stdout.?.readStreaming(t.io, &.{&buffer});
    const first = t.milliseconds();
    try expectText("Grüß", buffer[0..len]);
    const rest = try t.wait(&child);
    try expectText(" dich\n", rest.out);
    try expect(t.milliseconds() - first > 300);
    try expect(rest.status == 0);
}

fn interrupted(t: *Test, name: []const u8) !void {
    var server = try Server.init(t, &.{ "--interval-ms", "1500" });
    defer server.deinit(t);
    var child = try t.start(try program(t, name, server.url, ""));
    defer child.kill(t.io);
    var buffer: [64]u8 = undefined;
    const len = try child.stdout.?.readStreaming(t.io, &.{&buffer});
    try expectText("Grüß", buffer[0..len]);
    const start = t.milliseconds();
    try std.posix.kill(child.id.?, .INT);
    const rest = try t.wait(&child);
    try expect(t.milliseconds() - start < 1000);
    try expectText("\n", rest.out);
    try expect(rest.status == 130);
}

pub fn all(t: *Test) void {
    t.one("over the transport a reply is streamed, its first delta long before its last", streamed, .{});
    t.one("over the transport a stream is cancelled by another thread; what came stays", cancelled, .{});
    t.one("a wait of the transport ends with its limit", limited, .{});
    t.one("over the transport a refusal says what the server said, and never the key", refused, .{});
    t.one("over the transport a whole reply is read into a message", fetched, .{});
    inline for (.{ "chat", "http_chat" }) |name| {
        t.one(name ++ " prints the reply, what is known of it, and a refusal without the key", chats, .{name});
        t.one(name ++ " prints a text when it comes", chatsAsItComes, .{name});
        t.one(name ++ " ends with Ctrl-C while it waits, and has written what came", interrupted, .{name});
    }
}
