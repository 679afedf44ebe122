// A chat on the terminal, on the library's transport.
//
//     chat PROMPT
//
// OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask. The reply goes to standard output as it comes,
// what is known of it to standard error. Ctrl-C ends the reply.
//
// Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response, 130 interrupted.
using System;
using Deltawire;

internal static class ChatProgram
{
    private static int Main(string[] arguments)
    {
        if (arguments.Length != 1)
        {
            Console.Error.WriteLine("usage: chat PROMPT");
            return 2;
        }
        var options = new ClientOptions
        {
            BaseUrl = Environment.GetEnvironmentVariable("OPENAI_BASE_URL"),
            Key = Environment.GetEnvironmentVariable("OPENAI_API_KEY"),
            Retries = 0,
        };
        var request = new Request
        {
            Model = Terminal.Setting("OPENAI_MODEL", "gpt-4o-mini"),
            Turns = new[] { new Turn("user", arguments[0]) },
            IncludeUsage = true,
        };
        using (var terminal = new Terminal())
        {
            try
            {
                using (var client = new Client(options))
                using (DeltaStream stream = client.Stream(request, terminal.Interrupt))
                {
                    foreach (Delta delta in stream)
                        terminal.Show(delta);
                    return terminal.Ended(stream.End);
                }
            }
            catch (OperationCanceledException)
            {
                return terminal.Failed("interrupted", 130);
            }
            catch (DeltawireException why)
            {
                return terminal.Failed(why.Message, 3);
            }
        }
    }
}
