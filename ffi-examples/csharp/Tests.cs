// The tests: `check test`, with DELTAWIRE, DELTAWIRE_LIBRARY, DELTAWIRE_CASES and DELTAWIRE_BUILD set. The last
// line is `N passed, N failed`.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using Deltawire;

internal static class Tests
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
                if (delta.Kind == DeltaKind.Unreadable)
                    wrong.Append(delta.Problem.Message).Append('\n');
                else
                    all.Append(Lines.Of(delta));
            }
        };
        foreach (ArraySegment<byte> piece in pieces)
            take(decoder.Read(piece.Array, piece.Offset, piece.Count));
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

    private static int Main()
    {
        string[][] cases = File.ReadAllLines(Path.Combine(CasesFolder, "cases.tsv"))
            .Select(line => line.Split('\t')).ToArray();
        Test("there are cases", () => True(cases.Length >= 30, cases.Length + " cases"));
        foreach (string[] columns in cases)
            Test(columns[0], () => ReadsAsTheCommand(columns));
        Console.WriteLine("{0} passed, {1} failed", passed, failed);
        return failed == 0 && passed > 0 ? 0 : 1;
    }
}
