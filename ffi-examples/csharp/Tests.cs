// The tests: `check test`, with DELTAWIRE, DELTAWIRE_LIBRARY, DELTAWIRE_CASES and DELTAWIRE_BUILD set. The last
// line is `N passed, N failed`.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using Deltawire;

internal static partial class Tests
{
    private static readonly string Command = Need("DELTAWIRE"), CasesFolder = Need("DELTAWIRE_CASES"),
        Build = Need("DELTAWIRE_BUILD"), Data = Need("DELTAWIRE_DATA");
    private static int passed, failed;

    private static string Need(string name)
    {
        string value = Environment.GetEnvironmentVariable(name);
        if (string.IsNullOrEmpty(value))
            throw new InvalidOperationException(name + " is not set");
        return value;
    }

    private static void Test(string name, Action body)
    {
        try
        {
            body();
            passed++;
        }
        catch (Exception why)
        {
            failed++;
            Console.Error.WriteLine("FAILED: " + name + "\n" + why);
        }
    }

    private static void Same<T>(T got, T want, string what = "value")
    {
        if (!EqualityComparer<T>.Default.Equals(got, want))
            throw new Exception(what + ": got \"" + got + "\", want \"" + want + "\"");
    }

    private static void True(bool holds, string what)
    {
        if (!holds)
            throw new Exception(what);
    }

    private static T Throws<T>(Action body) where T : Exception
    {
        try
        {
            body();
        }
        catch (T why)
        {
            return why;
        }
        throw new Exception("no " + typeof(T).Name);
    }

    private static byte[] Bytes(string text)
    {
        return Encoding.UTF8.GetBytes(text);
    }

    // The lines of a response cut as `pieces` has it, and what was wrong with its events.
    private static void ReadPieces(DeltaDecoder decoder, IEnumerable<ArraySegment<byte>> pieces, out string lines,
        out string problems)
    {
        StringBuilder all = new StringBuilder(), wrong = new StringBuilder();
        Action<Deltas> take = deltas =>
        {
            foreach (Delta delta in deltas)
            {
                if (delta.Kind == DeltaKind.EventError)
                    wrong.Append(delta.EventError.Message).Append('\n');
                else
                    all.Append(Lines.Of(delta));
            }
        };
        foreach (ArraySegment<byte> piece in pieces)
            take(decoder.Feed(piece.Array, piece.Offset, piece.Count));
        take(decoder.Finish());
        lines = all.Append(Lines.Of(decoder.End)).ToString();
        problems = wrong.ToString();
    }

    private static IEnumerable<ArraySegment<byte>> Cut(byte[] bytes, int size)
    {
        for (int at = 0; at < bytes.Length; at += size)
            yield return new ArraySegment<byte>(bytes, at, Math.Min(size, bytes.Length - at));
    }

    private static void ReadsAsTheCommand(string[] columns)
    {
        string stem = Path.Combine(CasesFolder, columns[0]);
        byte[] bytes = File.ReadAllBytes(Path.Combine(CasesFolder, columns[1]));
        string want = File.ReadAllText(stem + ".lines");
        string wrong = File.Exists(stem + ".errors") ? File.ReadAllText(stem + ".errors") : "";
        foreach (int batch in new[] { 64, 1 })
        {
            var options = new DecoderOptions { Dialect = Names.DialectByName(columns[2]), Batch = batch };
            using (var decoder = new DeltaDecoder(options))
            {
                Action<IEnumerable<ArraySegment<byte>>, string> check = (pieces, what) =>
                {
                    string lines, problems;
                    ReadPieces(decoder, pieces, out lines, out problems);
                    Same(lines, want, what);
                    Same(problems, wrong, what + ", errors");
                    decoder.Reset();
                };
                foreach (int size in new[] { Math.Max(bytes.Length, 1), 1, 7, 64 })
                    check(Cut(bytes, size), size + " bytes a piece");
                for (int at = 1; columns[3] == "1" && at < bytes.Length; at++)
                    check(new[] { new ArraySegment<byte>(bytes, 0, at),
                                  new ArraySegment<byte>(bytes, at, bytes.Length - at) }, "cut at " + at);
            }
        }
    }

    private static string Chunk(string content)
    {
        return "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + content + "\"}}]}\n\n";
    }

    private static string Repeat(string text, int times)
    {
        return new StringBuilder().Insert(0, text, times).ToString();
    }

    private static string Joined(IEnumerable<Delta> deltas)
    {
        return string.Concat(deltas.Where(delta => delta.Kind == DeltaKind.Text).Select(delta => delta.Text));
    }

    private struct Outcome
    {
        public string Output, Errors;
        public int Status;
    }

    // Runs a program of the build's folder by a shell, `arguments` behind it.
    private static Outcome Run(string program, string arguments, string before = "")
    {
        string line = before + " mono " + Quoted(Path.Combine(Build, program + ".exe")) + " " + arguments;
        var start = new ProcessStartInfo("/bin/sh", "-c 'eval \"$LINE\"'")
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = new UTF8Encoding(false),
        };
        start.EnvironmentVariables["LINE"] = line;
        using (Process process = Process.Start(start))
        {
            var errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return new Outcome { Output = output, Errors = errors.Result, Status = process.ExitCode };
        }
    }

    private static string Quoted(string text)
    {
        return "'" + text.Replace("'", "'\\''") + "'";
    }

    private static void ProgramPrintsAsTheCommand(string[][] cases)
    {
        for (int at = 0; at < cases.Length; at += 60)
        {
            string want = File.ReadAllText(Path.Combine(CasesFolder, cases[at][0] + ".lines"));
            string path = Quoted(Path.Combine(CasesFolder, cases[at][1])), dialect = "--dialect " + cases[at][2];
            Same(Run("deltas", dialect + " " + path).Output, want, cases[at][0]);
            Same(Run("deltas", dialect + " --chunk-size 1 " + path).Output, want, cases[at][0] + ", a byte a piece");
            Same(Run("deltas", dialect + " <" + path).Output, want, cases[at][0] + ", standard input");
        }
    }

    private static void ProgramsExitStatus()
    {
        Same(Run("deltas", Quoted(Data + "/serve-chat.sse")).Status, 0);
        Same(Run("deltas", Quoted(Data + "/serve-cut.sse")).Status, 1);
        Same(Run("deltas", Quoted(Data + "/serve-error.sse")).Status, 1);
        foreach (string wrong in new[] { "--dialect nobody", "--chunk-size 0", "--what", "/no/such/file" })
            Same(Run("deltas", wrong + " </dev/null").Status, 2, wrong);
    }

    private static void KeptTextStaysRight()
    {
        byte[] bytes = Bytes(Chunk("Grüß \\u0000 dich 🎈"));
        Delta kept;
        using (var decoder = new DeltaDecoder())
        {
            kept = decoder.Feed(bytes).Last();
            Array.Clear(bytes, 0, bytes.Length);
            decoder.Feed(Bytes(Chunk(Repeat("x", 40)))).Count();
        }
        GC.Collect();
        Same(kept.Text, "Grüß \0 dich 🎈");
    }

    private static void BytesMayMoveInALoop()
    {
        using (var decoder = new DeltaDecoder(new DecoderOptions { Batch = 1 }))
        {
            var text = new StringBuilder();
            foreach (Delta delta in decoder.Feed(Bytes(Repeat(Chunk("a"), 200))))
            {
                text.Append(delta.Text);
                // Moves young objects, the chunk among them.
                GC.Collect(0);
            }
            Same(text.ToString(), Repeat("a", 200));
        }
    }

    private static void RawKeepsItsBytes()
    {
        byte[] body = Bytes("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\ndata: x\0y?z\n\n");
        body[Array.IndexOf(body, (byte)'?')] = 0xFF;
        using (var decoder = new DeltaDecoder())
        {
            Delta[] deltas = decoder.Feed(body).ToArray();
            Delta other = deltas.Single(delta => delta.Kind == DeltaKind.Other);
            Same(BitConverter.ToString(other.Raw), "78-00-79-FF-7A");
            Same(other.RawText, "x\0y\uFFFDz");
            byte[] cut = { 0xE0, 0xA0, 0xF0, 0x80, 0xED, 0xA0, 0x80, 0xF0, 0x9F, 0x8E, 0xC3, 0xC3, 0xBC, 0xF4 };
            Same(new Delta { Raw = cut }.RawText, new string('\uFFFD', 8) + "ü\uFFFD");
            Same(deltas.Single(delta => delta.Kind == DeltaKind.EventError).EventError.StatusName, "DW_ERR_NOT_JSON");
        }
    }

    private static void UseAfterClose()
    {
        var decoder = new DeltaDecoder();
        var message = new Message();
        var client = new Client();
        foreach (IDisposable closed in new IDisposable[] { decoder, message, client })
        {
            closed.Dispose();
            closed.Dispose();
        }
        Throws<ObjectDisposedException>(() => decoder.Feed(new byte[1]));
        Throws<ObjectDisposedException>(() => decoder.Finish());
        Throws<ObjectDisposedException>(() => decoder.Reset());
        Throws<ObjectDisposedException>(() => decoder.Seen());
        Throws<ObjectDisposedException>(() => Console.WriteLine(decoder.End));
        Throws<ObjectDisposedException>(() => message.Push(new Delta { Kind = DeltaKind.Done }));
        Throws<ObjectDisposedException>(() => message.Get());
        Throws<ObjectDisposedException>(() => client.Stream(new Request()));
        var open = new DeltaDecoder();
        int came = 0;
        Throws<ObjectDisposedException>(() =>
        {
            foreach (Delta delta in open.Feed(Bytes(Repeat(Chunk("a"), 3))))
            {
                came++;
                open.Dispose();
            }
        });
        Same(came, 1);
    }

    private static void WrongArguments()
    {
        Throws<ArgumentNullException>(() => Names.DialectByName(null));
        Throws<ArgumentException>(() => Names.DialectByName("nobody"));
        Throws<ArgumentException>(() => Names.DialectByName("anthropic\0"));
        Throws<ArgumentException>(() => new DeltaDecoder(new DecoderOptions { Dialect = (Dialect)99 }));
        Throws<ArgumentException>(() => new DeltaDecoder(new DecoderOptions { MaxEventBytes = -1 }));
        Throws<ArgumentException>(() => new Client(new ClientOptions { Provider = (Provider)99 }));
        Same(Throws<DeltawireException>(() => new Client(new ClientOptions { CaFile = "/no/such/file" })).StatusName,
             "DW_ERR_REQUEST");
        using (var decoder = new DeltaDecoder())
        using (var message = new Message())
        {
            Throws<ArgumentNullException>(() => decoder.Feed(null));
            Throws<ArgumentOutOfRangeException>(() => decoder.Feed(new byte[4], 2, 3));
            Throws<ArgumentOutOfRangeException>(() => decoder.Feed(new byte[4], -1, 2));
            Throws<ArgumentNullException>(() => message.Push(null));
            Throws<DeltawireException>(() => message.Push(new Delta { Kind = (DeltaKind)99 }));
            Throws<DeltawireException>(() => message.Finish((End)99));
        }
    }

    private static void UnreadBytesAreNotLost()
    {
        using (var decoder = new DeltaDecoder(new DecoderOptions { Batch = 2 }))
        {
            byte[] body = Bytes(Chunk("a") + Chunk("b") + Chunk("c"));
            Deltas deltas = decoder.Feed(body);
            Same(deltas.First().Text, "a");
            Throws<InvalidOperationException>(() => decoder.Feed(body));
            Throws<InvalidOperationException>(() => decoder.Finish());
            Same(Joined(deltas), "bc");
            Same(deltas.Count(), 0);
            decoder.Feed(body).First();
            decoder.Reset();
            Same(Joined(decoder.Feed(body)), "abc");
        }
    }

    private static void CutStreamSaysSo()
    {
        using (var decoder = new DeltaDecoder())
        {
            string lines, problems;
            ReadPieces(decoder, Cut(File.ReadAllBytes(Data + "/serve-cut.sse"), 50), out lines, out problems);
            Same(decoder.End, End.Truncated);
            Same(decoder.Dialect, Dialect.OpenAIChat);
            decoder.Reset();
            ReadPieces(decoder, Cut(Bytes("<html>\r\nno\n"), 3), out lines, out problems);
            Same(decoder.End, End.Unrecognised);
            Same(Encoding.UTF8.GetString(decoder.Seen()), "<html>\nno\n");
        }
    }

    private static void LargeEventIsAnError()
    {
        using (var decoder = new DeltaDecoder(new DecoderOptions { MaxEventBytes = 300 }))
        {
            string one = Chunk("one");
            Delta[] deltas = decoder.Feed(Bytes(one + Chunk(Repeat("x", 400)) + Chunk("two"))).ToArray();
            Same(Joined(deltas), "onetwo");
            DeltawireException problem = deltas.Single(delta => delta.Kind == DeltaKind.EventError).EventError;
            Same(problem.StatusName, "DW_ERR_EVENT_TOO_LARGE");
            Same(problem.Offset, (ulong)one.Length);
        }
    }

    private static void MessagePutsTogether()
    {
        using (var decoder = new DeltaDecoder())
        using (var message = new Message())
        {
            foreach (Delta delta in decoder.Feed(File.ReadAllBytes(Data + "/serve-chat.sse")))
                message.Push(delta);
            foreach (Delta delta in decoder.Finish())
                message.Push(delta);
            message.Finish(decoder.End);
            MessageInfo info = message.Get();
            Same(info.Choices[0].Text, "Grüß dich");
            Same(info.Choices[0].Reasoning, "Greet.");
            Same(info.Choices[0].FinishReason, FinishReason.Stop);
            Same(info.Usage.OutputTokens, 4ul);
            Same(info.Usage.ReasoningTokens, (ulong?)null);
            Same(info.Model, "tiny-chat-1");
            True(info.IsComplete, "not complete");
            message.Push(new Delta { Kind = DeltaKind.ToolCallStart, Index = 0, Id = "c1", Name = "f" });
            message.Push(new Delta { Kind = DeltaKind.ToolCallArguments, Index = 0, Text = "{\"a\":\"ü\"}" });
            Same(message.Get().ToolCalls.Single().Arguments, "{\"a\":\"ü\"}");
            message.Read(Bytes("{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"a\\u0000b\"}}]}"));
            Same(message.Get().Choices[0].Text, "a\0b");
            Same(Throws<DeltawireException>(() => message.Read(Bytes("{"))).StatusName, "DW_ERR_NOT_JSON");
            Same(Throws<DeltawireException>(() => message.Read(new byte[0])).StatusName, "DW_ERR_NOT_JSON");
            Same(Throws<DeltawireException>(() => message.Read(Bytes("{}"))).StatusName, "DW_ERR_NOT_A_RESPONSE");
        }
    }

    // In KiB.
    private static long Resident()
    {
        string line = File.ReadAllLines("/proc/self/status").Single(text => text.StartsWith("VmRSS:"));
        return long.Parse(line.Split(new[] { ' ', '\t' }, StringSplitOptions.RemoveEmptyEntries)[1]);
    }

    private static void Drop(int times)
    {
        // Far more than a decoder's own size stays with it, so that a leak shows.
        string large = Repeat("x", 8000);
        byte[] unfinished = Bytes("data: " + large);
        for (int round = 0; round < times; round++)
        {
            var decoder = new DeltaDecoder(new DecoderOptions { Batch = 1 });
            foreach (Delta delta in decoder.Feed(unfinished))
                throw new Exception("a delta of half an event");
            var message = new Message();
            message.Push(new Delta { Kind = DeltaKind.Text, Text = large });
            if (round % 500 == 499)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }
    }

    private static void DroppedObjectsAreFreed()
    {
        Drop(1000);
        long before = Resident();
        Drop(10000);
        long grown = Resident() - before;
        True(grown < 16384, "grown by " + grown + " KiB");
    }

    private static int Main()
    {
        string[][] cases = File.ReadAllLines(Path.Combine(CasesFolder, "cases.tsv"))
            .Select(line => line.Split('\t')).ToArray();
        Test("there are cases", () => True(cases.Length >= 30, cases.Length + " cases"));
        foreach (string[] columns in cases)
            Test(columns[0], () => ReadsAsTheCommand(columns));
        Test("the program prints what the command prints", () => ProgramPrintsAsTheCommand(cases));
        Test("the program's exit status is 0, 1 or 2", ProgramsExitStatus);
        Test("a text that is kept stays right", KeptTextStaysRight);
        Test("the bytes may move between two deltas", BytesMayMoveInALoop);
        Test("raw has the bytes of the wire", RawKeepsItsBytes);
        Test("use after close is an error, and a second close does nothing", UseAfterClose);
        Test("wrong arguments are refused", WrongArguments);
        Test("bytes that a loop has not read are not lost", UnreadBytesAreNotLost);
        Test("a stream that is cut says so", CutStreamSaysSo);
        Test("an event over the limit is an error, and the stream goes on", LargeEventIsAnError);
        Test("a message puts deltas together, and reads a whole response", MessagePutsTogether);
        Test("objects that are dropped are freed", DroppedObjectsAreFreed);
        TestHttp();
        Console.WriteLine("{0} passed, {1} failed", passed, failed);
        return failed == 0 && passed > 0 ? 0 : 1;
    }
}
