// A chat on the terminal, over HttpClient: the bytes of the body go into a decoder as they arrive.
//
//     httpclientchat PROMPT
//
// Settings and exit status are those of Chat.cs.
using System;
using System.IO;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Deltawire;

internal static class HttpClientChatProgram
{
    private static int Main(string[] arguments)
    {
        if (arguments.Length != 1)
        {
            Console.Error.WriteLine("usage: httpclientchat PROMPT");
            return 2;
        }
        using (var terminal = new Terminal())
        {
            try
            {
                return Ask(arguments[0], terminal, terminal.Interrupt).GetAwaiter().GetResult();
            }
            catch (Exception) when (terminal.Interrupt.IsCancellationRequested)
            {
                return terminal.Failed("interrupted", 130);
            }
            catch (Exception why) when (why is HttpRequestException || why is IOException
                                        || why is UriFormatException || why is OperationCanceledException)
            {
                return terminal.Failed((why.InnerException ?? why).Message, 3);
            }
        }
    }

    private static async Task<int> Ask(string prompt, Terminal terminal, CancellationToken cancellation)
    {
        string url = Terminal.Setting("OPENAI_BASE_URL", "https://api.openai.com/v1") + "/chat/completions";
        string key = Terminal.Setting("OPENAI_API_KEY", null);
        string json = "{\"model\":" + Lines.Quote(Terminal.Setting("OPENAI_MODEL", "gpt-4o-mini"))
            + ",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
            + "\"messages\":[{\"role\":\"user\",\"content\":" + Lines.Quote(prompt) + "}]}";
        // A limit of HttpClient's would be one for the whole stream.
        using (var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan })
        using (var request = new HttpRequestMessage(HttpMethod.Post, url))
        {
            request.Content = new StringContent(json, Encoding.UTF8, "application/json");
            if (key != null)
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            using (HttpResponseMessage response =
                await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation))
            {
                if (!response.IsSuccessStatusCode)
                    return terminal.Failed("HTTP status " + (int)response.StatusCode + ": "
                        + await response.Content.ReadAsStringAsync(), 3);
                return await Read(await response.Content.ReadAsStreamAsync(), terminal, cancellation);
            }
        }
    }

    private static async Task<int> Read(Stream body, Terminal terminal, CancellationToken cancellation)
    {
        using (var decoder = new DeltaDecoder())
        {
            var buffer = new byte[16384];
            int length;
            while ((length = await body.ReadAsync(buffer, 0, buffer.Length, cancellation)) > 0)
                foreach (Delta delta in decoder.Feed(buffer, 0, length))
                    terminal.Show(delta);
            cancellation.ThrowIfCancellationRequested();
            foreach (Delta delta in decoder.Finish())
                terminal.Show(delta);
            return terminal.Ended(decoder.End);
        }
    }
}
