// What both chats do with the terminal.
using System;
using System.IO;
using System.Text;
using System.Threading;
using Deltawire;
using Mono.Unix;
using Mono.Unix.Native;

internal sealed class Terminal : IDisposable
{
    private readonly StreamWriter output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false));
    private bool isFaulty;

    // Ctrl-C may come until the program has ended, so nobody disposes of it.
    private readonly CancellationTokenSource interrupt = new CancellationTokenSource();

    /// <summary>Takes Ctrl-C over: it cancels <see cref="Interrupt"/> in place of ending the program.</summary>
    public Terminal()
    {
        // Mono's Console.CancelKeyPress needs a terminal as standard input; .NET's would do.
        var signal = new UnixSignal(Signum.SIGINT);
        new Thread(() => { signal.WaitOne(); interrupt.Cancel(); }) { IsBackground = true }.Start();
    }

    /// <summary>Cancelled by Ctrl-C.</summary>
    public CancellationToken Interrupt
    {
        get { return interrupt.Token; }
    }

    public static string Setting(string name, string otherwise)
    {
        string value = Environment.GetEnvironmentVariable(name);
        return string.IsNullOrEmpty(value) ? otherwise : value;
    }

    public void Show(Delta delta)
    {
        switch (delta.Kind)
        {
            case DeltaKind.Text:
                output.Write(delta.Text);
                output.Flush();
                break;
            case DeltaKind.Usage:
                Console.Error.Write("({0} tokens)", delta.Usage.OutputTokens ?? 0);
                break;
            case DeltaKind.Error:
                Console.Error.WriteLine(delta.ErrorKind.Name() + ": " + delta.Text);
                isFaulty = true;
                break;
            case DeltaKind.EventError:
                Console.Error.WriteLine(delta.EventError.Message);
                isFaulty = true;
                break;
        }
    }

    /// <summary>The exit status of a reply that came to an end.</summary>
    public int Ended(End end)
    {
        output.Write('\n');
        return isFaulty || end != End.Complete ? 1 : 0;
    }

    /// <summary>The exit status of one that did not.</summary>
    public int Failed(string why, int status)
    {
        output.Write('\n');
        output.Flush();
        Console.Error.WriteLine(why);
        return status;
    }

    public void Dispose()
    {
        output.Dispose();
    }
}
