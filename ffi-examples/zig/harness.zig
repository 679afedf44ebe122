//! What the tests stand on: counting, files, processes.
const std = @import("std");
const Io = std.Io;

pub fn expect(is_true: bool) !void {
    if (!is_true) return error.NotAsExpected;
}

pub fn expectError(want: anyerror, got: anytype) !void {
    if (got) |_| {
        std.debug.print("no error, {t} was expected\n", .{want});
    } else |err| {
        if (err == want) return;
        std.debug.print("{t}, {t} was expected\n", .{ err, want });
    }
    return error.NotAsExpected;
}

pub fn expectText(want: []const u8, got: []const u8) !void {
    if (std.mem.eql(u8, want, got)) return;
    const at = std.mem.findDiff(u8, want, got).?;
    const from = at -| 40;
    std.debug.print("from byte {d}: \"{f}\" was expected, not \"{f}\"\n", .{
        from,
        std.zig.fmtString(want[from..@min(want.len, at + 80)]),
        std.zig.fmtString(got[from..@min(got.len, at + 80)]),
    });
    return error.NotAsExpected;
}

pub const Test = struct {
    io: Io,
    environ: *std.process.Environ.Map,
    /// Freed after each test. `gpa` is its.
    arena: *std.heap.ArenaAllocator,
    gpa: std.mem.Allocator,
    command: []const u8,
    cases: []const u8,
    build: []const u8,
    /// Ends with a slash.
    data: []const u8,
    passed: usize = 0,
    failed: usize = 0,

    pub fn init(given: std.process.Init) !Test {
        const names = [_][]const u8{ "DELTAWIRE", "DELTAWIRE_CASES", "DELTAWIRE_BUILD" };
        var values: [names.len][]const u8 = undefined;
        for (names, &values) |name, *value| value.* = given.environ_map.get(name) orelse {
            std.debug.print("{s} is not set\n", .{name});
            return error.NotSet;
        };
        const lasting = given.arena.allocator();
        const args = try given.minimal.args.toSlice(lasting);
        const arena = try lasting.create(std.heap.ArenaAllocator);
        arena.* = .init(given.gpa);
        return .{
            .io = given.io,
            .environ = given.environ_map,
            .arena = arena,
            .gpa = arena.allocator(),
            .command = values[0],
            .cases = values[1],
            .build = values[2],
            .data = if (args.len > 1) args[1] else return error.NoDataFolder,
        };
    }

    pub fn one(t: *Test, name: []const u8, comptime body: anytype, args: anytype) void {
        if (@call(.auto, body, .{t} ++ args)) |_| {
            t.passed += 1;
        } else |err| {
            t.failed += 1;
            std.debug.print("FAILED: {s}: {t}\n", .{ name, err });
            if (@errorReturnTrace()) |trace| std.debug.dumpErrorReturnTrace(trace);
        }
        _ = t.arena.reset(.free_all);
    }

    /// Prints the closing line. The exit status.
    pub fn end(t: *Test) !u8 {
        var buffer: [64]u8 = undefined;
        const line = try std.fmt.bufPrint(&buffer, "{d} passed, {d} failed\n", .{ t.passed, t.failed });
        try Io.File.stdout().writeStreamingAll(t.io, line);
        t.arena.deinit();
        return @intFromBool(t.failed > 0 or t.passed == 0);
    }

    pub fn path(t: *Test, parts: []const []const u8) ![]const u8 {
        return std.mem.concat(t.gpa, u8, parts);
    }

    pub fn read(t: *Test, parts: []const []const u8) ![]u8 {
        return Io.Dir.cwd().readFileAlloc(t.io, try t.path(parts), t.gpa, .unlimited);
    }

    pub fn milliseconds(t: *Test) i64 {
        return Io.Clock.awake.now(t.io).toMilliseconds();
    }

    pub fn residentBytes(t: *Test) !usize {
        const file = try Io.Dir.cwd().openFile(t.io, "/proc/self/statm", .{});
        defer file.close(t.io);
        var buffer: [128]u8 = undefined;
        const len = try file.readStreaming(t.io, &.{&buffer});
        var fields = std.mem.tokenizeScalar(u8, buffer[0..len], ' ');
        _ = fields.next();
        return try std.fmt.parseInt(usize, fields.next().?, 10) * std.heap.pageSize();
    }

    pub const Program = struct {
        argv: []const []const u8,
        /// A file's path.
        stdin: ?[]const u8 = null,
        /// In the environment besides what is there.
        settings: []const [2][]const u8 = &.{},
    };

    /// Starts a program. Its standard output is a pipe, its standard error goes to a file.
    pub fn start(t: *Test, program: Program) !std.process.Child {
        var environ = try t.environ.clone(t.gpa);
        for (program.settings) |setting| try environ.put(setting[0], setting[1]);
        const stdin: ?Io.File = if (program.stdin) |name| try Io.Dir.cwd().openFile(t.io, name, .{}) else null;
        defer if (stdin) |file| file.close(t.io);
        const stderr = try Io.Dir.cwd().createFile(t.io, try t.path(&.{ t.build, "/stderr.log" }), .{});
        defer stderr.close(t.io);
        return std.process.spawn(t.io, .{
            .argv = program.argv,
            .environ_map = &environ,
            .stdin = if (stdin) |file| .{ .file = file } else .ignore,
            .stdout = .pipe,
            .stderr = .{ .file = stderr },
        });
    }

    pub const Result = struct { out: []const u8, err: []const u8, status: u8 };

    /// Reads what a program still writes, and waits for its end.
    pub fn wait(t: *Test, child: *std.process.Child) !Result {
        var reader = child.stdout.?.readerStreaming(t.io, &.{});
        const out = try reader.interface.allocRemaining(t.gpa, .unlimited);
        return switch (try child.wait(t.io)) {
            .exited => |status| .{ .out = out, .err = try t.read(&.{ t.build, "/stderr.log" }), .status = status },
            else => error.Killed,
        };
    }

    pub fn run(t: *Test, program: Program) !Result {
        var child = try t.start(program);
        defer child.kill(t.io);
        return t.wait(&child);
    }
};
