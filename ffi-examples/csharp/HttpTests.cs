// The tests against `deltawire serve`: the transport, HttpClient, and both chats.
using System;
using System.Diagnostics;
using System.IO;
using System.Net.Http;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;
using Deltawire;

internal static partial class Tests
{
    // Runs `body` with the address of a server, which is ended whatever happens.
    private static void WithServer(string options, Action<string> body)
    {
        var start = new ProcessStartInfo(Command, "serve --port 0 " + options + " \"" + Data + "/serve-chat.sse\"")
        {
            UseShellExecute = false,
            RedirectStandardError = true,
        };
        using (Process server = Process.Start(start))
        {
            try
            {
                string line;
                while ((line = server.StandardError.ReadLine()) != null)
                {
                    Match match = Regex.Match(line, "^deltawire: listening on (http://\\S+)");
                    if (match.Success)
                    {
                        body(match.Groups[1].Value);
                        return;
                    }
                }
                throw new Exception("the server does not listen");
            }
            finally
            {
                server.Kill();
                server.WaitForExit();
            }
        }
    }

    private static void Ask(string url, Action<DeltaStream> body, ClientOptions options = null,
        CancellationToken cancellation = default(CancellationToken))
    {
        options = options ?? new ClientOptions();
        options.BaseUrl = url;
        options.Retries = 0;
        var request = new Request
        {
            Model = "tiny-chat-1",
            Turns = new[] { new Turn("user", "Hello") },
            IncludeUsage = true,
        };
        using (var client = new Client(options))
        using (DeltaStream stream = client.Stream(request, cancellation))
            body(stream);
    }

    private static void TransportStreams(string url)
    {
        Ask(url, stream =>
        {
            var text = new StringBuilder();
            Stopwatch watch = null;
            foreach (Delta delta in stream)
            {
                watch = watch ?? Stopwatch.StartNew();
                text.Append(delta.Kind == DeltaKind.Text ? delta.Text : "");
                // A collection between and during waits breaks neither.
                GC.Collect();
            }
            Same(text.ToString(), "Grüß dich");
            Same(stream.End, End.Complete);
            True(watch.ElapsedMilliseconds > 200, "all came at once");
            stream.Dispose();
            Throws<ObjectDisposedException>(() => stream.Next());
            Throws<ObjectDisposedException>(stream.Cancel);
        });
    }

    // From another thread, while this one waits for the next event, which is 5 s away.
    private static void TransportIsCancelled(string url)
    {
        using (var source = new CancellationTokenSource())
            Ask(url, stream =>
            {
                int came = 0;
                var watch = Stopwatch.StartNew();
                var why = Throws<OperationCanceledException>(() =>
                {
                    foreach (Delta delta in stream)
                    {
                        came++;
                        source.CancelAfter(200);
                    }
                });
                True(watch.ElapsedMilliseconds < 4000, "it waited for the next event");
                True(came >= 1, "nothing came");
                Same(why.CancellationToken, source.Token);
                Same(((DeltawireException)why.InnerException).StatusName, "DW_ERR_CANCELLED");
                Same(stream.End, End.Truncated);
            }, null, source.Token);
    }

    private static void TransportIsCancelledByHand(string url)
    {
        Ask(url, stream =>
        {
            var text = new StringBuilder();
            var watch = new Stopwatch();
            Throws<OperationCanceledException>(() =>
            {
                foreach (Delta delta in stream)
                {
                    text.Append(delta.Text);
                    if (text.Length == 0)
                        continue;
                    watch.Start();
                    stream.Cancel();
                }
            });
            True(text.ToString().StartsWith("Gr"), "the text so far is lost: " + text);
            True(watch.ElapsedMilliseconds < 300, "it waited for the next event");
        });
        using (var source = new CancellationTokenSource())
        {
            source.Cancel();
            Ask(url, stream => Throws<OperationCanceledException>(() => stream.Next()), null, source.Token);
        }
    }

    private static void TransportWaitHasALimit(string url)
    {
        Ask(url, stream =>
        {
            var watch = Stopwatch.StartNew();
            var why = Throws<TransportException>(() => { foreach (Delta delta in stream) { } });
            Same(why.StatusName, "DW_ERR_TIMEOUT");
            True(watch.ElapsedMilliseconds < 4000, "it waited for the event");
            Same(stream.End, End.Truncated);
        }, new ClientOptions { IdleTimeout = TimeSpan.FromMilliseconds(200) });
    }

    private static void TransportIsRefused(string url)
    {
        Ask(url, stream =>
        {
            var why = Throws<TransportException>(() => stream.Next());
            Same(why.StatusName, "DW_ERR_STATUS");
            Same(why.HttpStatus, 401);
            Same(why.Kind, ErrorKind.Authentication);
            Same(why.Said, "Incorrect API key provided");
            True(why.Body.Contains("invalid_api_key"), why.Body);
            True(!(why + why.Body + why.Said + why.Code).Contains("wrong-key"), "the key is shown");
        }, new ClientOptions { Key = "sk-wrong-key" });
    }

    private static void TransportFetches(string url)
    {
        using (var client = new Client(new ClientOptions { BaseUrl = url }))
        using (var message = new Message())
        using (DeltaStream stream = client.Stream(new Request
        {
            Path = "/chat/completions",
            Json = "{\"model\":\"tiny-chat-1\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}",
        }))
        {
            stream.Fetch(message);
            Same(message.Get().Choices[0].Text, "Grüß dich");
        }
    }

    private static async Task<string> ByHttpClient(string url, CancellationToken cancellation, Action<Delta> seen)
    {
        var text = new StringBuilder();
        using (var http = new HttpClient())
        using (var request = new HttpRequestMessage(HttpMethod.Post, url + "/chat/completions"))
        {
            request.Content = new StringContent(
                "{\"model\":\"tiny-chat-1\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}",
                Encoding.UTF8, "application/json");
            using (HttpResponseMessage response =
                await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation))
            using (Stream body = await response.Content.ReadAsStreamAsync())
            using (var decoder = new DeltaDecoder())
            {
                var buffer = new byte[16384];
                int length;
                while ((length = await body.ReadAsync(buffer, 0, buffer.Length, cancellation)) > 0)
                    foreach (Delta delta in decoder.Feed(buffer, 0, length))
                    {
                        seen(delta);
                        text.Append(delta.Kind == DeltaKind.Text ? delta.Text : "");
                    }
                foreach (Delta delta in decoder.Finish())
                    seen(delta);
                Same(decoder.End, End.Complete);
            }
        }
        return text.ToString();
    }

    private static void HttpClientStreams(string url)
    {
        Stopwatch watch = null;
        string text = ByHttpClient(url, CancellationToken.None, delta => watch = watch ?? Stopwatch.StartNew()).Result;
        Same(text, "Grüß dich");
        True(watch.ElapsedMilliseconds > 200, "all came at once");
    }

    private static void HttpClientIsCancelled(string url)
    {
        using (var source = new CancellationTokenSource())
        {
            int came = 0;
            var watch = Stopwatch.StartNew();
            Task<string> reply = ByHttpClient(url, source.Token, delta =>
            {
                came++;
                source.CancelAfter(200);
            });
            Throws<AggregateException>(reply.Wait);
            True(watch.ElapsedMilliseconds < 4000, "it waited for the next event");
            True(came >= 1, "nothing came");
        }
    }

    private static string Settings(string url, string key)
    {
        return "OPENAI_BASE_URL=" + Quoted(url) + " OPENAI_MODEL=tiny-chat-1 OPENAI_API_KEY=" + key;
    }

    private static void ChatPrints(string program, string url)
    {
        Outcome good = Run(program, "Hello", Settings(url, "right-key"));
        Same(good.Output, "Grüß dich\n");
        Same(good.Errors, "(4 tokens)");
        Same(good.Status, 0);
        Outcome refused = Run(program, "Hello", Settings(url, "wrong-key"));
        Same(refused.Status, 3);
        True(refused.Errors.Contains("401"), refused.Errors);
        True(!refused.Errors.Contains("wrong-key"), refused.Errors);
        Same(Run(program, "", Settings(url, "right-key")).Status, 2);
        Same(Run(program, "Hello", Settings("http://127.0.0.1:1/v1", "right-key")).Status, 3);
    }

    private static void ChatIsInterrupted(string program, string url)
    {
        var watch = Stopwatch.StartNew();
        Outcome outcome = Run(program, "Hello",
            "timeout --preserve-status --foreground -s INT 4.5 env " + Settings(url, "right-key"));
        True(watch.ElapsedMilliseconds < 6500, "it went on");
        Same(outcome.Status, 130);
        Same(outcome.Errors, "interrupted\n");
        // Killed, it can no longer write what it might have kept.
        True(Run(program, "Hello", "timeout -s KILL 4.5 env " + Settings(url, "right-key")).Output.StartsWith("Gr"),
             "the text waits for the end");
        True(outcome.Output.StartsWith("Gr") && "Grüß dich\n".StartsWith(outcome.Output.TrimEnd('\n')), outcome.Output);
    }

    private static void TestHttp()
    {
        Test("over the transport a reply is streamed, its first delta long before its last",
            () => WithServer("--interval-ms 100", TransportStreams));
        Test("over the transport a token of another thread ends a wait",
            () => WithServer("--interval-ms 5000", TransportIsCancelled));
        Test("over the transport a stream is cancelled between deltas, or before it begins; what came stays",
            () => WithServer("--interval-ms 400", TransportIsCancelledByHand));
        Test("a wait of the transport ends with its limit",
            () => WithServer("--interval-ms 5000", TransportWaitHasALimit));
        Test("over the transport a refusal says what the server said, and never the key",
            () => WithServer("--key right-key", TransportIsRefused));
        Test("the transport fetches a whole response", () => WithServer("", TransportFetches));
        Test("over HttpClient a reply is streamed", () => WithServer("--interval-ms 100", HttpClientStreams));
        Test("over HttpClient a token ends a wait", () => WithServer("--interval-ms 5000", HttpClientIsCancelled));
        foreach (string program in new[] { "chat", "httpclientchat" })
        {
            Test(program + " prints the reply, and what is known of it",
                () => WithServer("--key right-key", url => ChatPrints(program, url)));
            Test(program + " ends with Ctrl-C while it waits, and has written what came",
                () => WithServer("--interval-ms 1000", url => ChatIsInterrupted(program, url)));
        }
    }
}
