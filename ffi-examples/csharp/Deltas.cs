// Prints what a recorded response says, a line a delta, as `deltawire deltas` does.
//
//     deltas [--dialect D] [--chunk-size N] [FILE]      standard input where there is no FILE or it is -
//
// Exit status: 0 done, 1 the stream carried an error or was cut, 2 wrong usage.
using System;
using System.IO;
using System.Text;
using Deltawire;

internal static class DeltasProgram
{
    private static bool isFaulty;

    private static int Main(string[] arguments)
    {
        var options = new DecoderOptions();
        int size = 16384;
        string path = null;
        Stream body;
        try
        {
            for (int at = 0; at < arguments.Length; at++)
            {
                string argument = arguments[at];
                if (argument == "--dialect" && at + 1 < arguments.Length)
                    options.Dialect = Names.DialectByName(arguments[++at]);
                else if (argument == "--chunk-size" && at + 1 < arguments.Length)
                    size = Size(arguments[++at]);
                else if (path != null || argument.Length > 1 && argument[0] == '-')
                    throw new ArgumentException("what is " + argument + "?");
                else
                    path = argument;
            }
            body = path == null || path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
        }
        catch (Exception why) when (why is ArgumentException || why is IOException || why is UnauthorizedAccessException)
        {
            Console.Error.WriteLine("deltas: " + why.Message);
            Console.Error.WriteLine("usage: deltas [--dialect D] [--chunk-size N] [FILE]");
            return 2;
        }
        using (body)
        using (var decoder = new DeltaDecoder(options))
        using (var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 65536))
        {
            var buffer = new byte[size];
            int length;
            while ((length = body.Read(buffer, 0, size)) > 0)
                Print(output, decoder.Feed(buffer, 0, length));
            Print(output, decoder.Finish());
            output.Write(Lines.Of(decoder.End));
            return isFaulty || decoder.End != End.Complete ? 1 : 0;
        }
    }

    private static int Size(string text)
    {
        int size;
        if (!int.TryParse(text, out size) || size < 1)
            throw new ArgumentException("--chunk-size needs a number from 1");
        return size;
    }

    private static void Print(TextWriter output, Deltawire.Deltas deltas)
    {
        foreach (Delta delta in deltas)
        {
            isFaulty |= delta.Kind == DeltaKind.Error || delta.Kind == DeltaKind.EventError;
            if (delta.Kind == DeltaKind.EventError)
                Console.Error.WriteLine("deltas: " + delta.EventError.Message);
            else
                output.Write(Lines.Of(delta));
        }
        // What is known is shown before the next bytes are waited for.
        output.Flush();
    }
}
