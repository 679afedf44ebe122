//! What the two chats share: settings, how a reply is shown, Ctrl-C.
const std = @import("std");
const deltawire = @import("deltawire.zig");
const posix = std.posix;
const Writer = std.Io.Writer;

/// What the environment and the command line say.
pub const Settings = struct {
    base_url: []const u8,
    key: []const u8,
    model: []const u8,
    prompt: []const u8,

    /// Ends the program with status 2 where there is no prompt. `name` is the program's.
    pub fn from(init: std.process.Init, name: []const u8) !Settings {
        const args = try init.minimal.args.toSlice(init.arena.allocator());
        if (args.len != 2) {
            std.debug.print("usage: {s} PROMPT\n", .{name});
            std.process.exit(2);
        }
        return .{
            .base_url = variable(init, "OPENAI_BASE_URL", "https://api.openai.com/v1"),
            .key = variable(init, "OPENAI_API_KEY", ""),
            .model = variable(init, "OPENAI_MODEL", "gpt-4o-mini"),
            .prompt = args[1],
        };
    }

    fn variable(init: std.process.Init, name: []const u8, otherwise: []const u8) []const u8 {
        const value = init.environ_map.get(name) orelse return otherwise;
        return if (value.len > 0) value else otherwise;
    }
};

/// Writes the reply to `out` as it comes, what is known of it to `err`. True where the delta is an error.
pub fn show(out: *Writer, err: *Writer, delta: deltawire.Delta) Writer.Error!bool {
    switch (delta) {
        .text => |piece| {
            try out.writeAll(piece.text);
            try out.flush();
        },
        .usage => |usage| {
            try err.print("({d} tokens)", .{usage.output_tokens orelse 0});
            try err.flush();
        },
        .@"error" => |it| {
            try err.print("{s}: {s}\n", .{ it.kind.name(), it.message });
            try err.flush();
            return true;
        },
        else => {},
    }
    return false;
}

/// Ctrl-C, waited for by the main thread while another one reads. No handler runs, so nothing that a handler may
/// not do has to be avoided.
pub const Interrupt = struct {
    signals: posix.sigset_t,

    /// To be called before threads are started: they leave the signals alone, as this one does.
    pub fn block() Interrupt {
        var signals = posix.sigemptyset();
        posix.sigaddset(&signals, .INT);
        posix.sigaddset(&signals, .USR1);
        posix.sigprocmask(posix.SIG.BLOCK, &signals, null);
        return .{ .signals = signals };
    }

    /// True for Ctrl-C, false once `done` was called.
    pub fn wait(interrupt: *Interrupt) bool {
        var signal: c_int = 0;
        while (std.c.sigwait(&interrupt.signals, &signal) != 0) {}
        return signal == @backingInt(posix.SIG.INT);
    }

    /// Ends `wait`; called by the thread that reads, as its last act.
    pub fn done() void {
        _ = std.c.kill(std.c.getpid(), .USR1);
    }
};
