// The library's own transport: asks a provider over HTTP and reads the response as it comes.
//
//     using (var client = new Client(new ClientOptions { Key = key }))
//     using (DeltaStream stream = client.Stream(request, cancellation))
//         foreach (Delta delta in stream) ...
using System;
using System.Collections;
using System.Collections.Generic;
using System.Text;
using System.Threading;

namespace Deltawire
{
    /// <summary>Whose conventions a request follows.</summary>
    public enum Provider { OpenAI, Azure, Anthropic, Gemini, Ollama }

    /// <summary>
    /// What a client is told before it begins. A limit that is null has the library's default;
    /// <see cref="Timeout.InfiniteTimeSpan"/> is none.
    /// </summary>
    public sealed class ClientOptions
    {
        /// <summary>Whose conventions requests follow.</summary>
        public Provider Provider { get; set; }
        /// <summary>What precedes every path, such as "https://api.openai.com/v1"; null for the provider's own.</summary>
        public string BaseUrl { get; set; }
        /// <summary>The key; null for none. It is in no text that is handed out.</summary>
        public string Key { get; set; }
        /// <summary>Azure's <c>api-version</c>.</summary>
        public string ApiVersion { get; set; }
        /// <summary>A proxy; "direct" for none; null for what the environment says.</summary>
        public string Proxy { get; set; }
        /// <summary>A file of certificates in PEM that are trusted in place of Mozilla's.</summary>
        public string CaFile { get; set; }
        /// <summary>Headers besides. Their values are treated like a key.</summary>
        public IEnumerable<KeyValuePair<string, string>> Headers { get; set; }
        /// <summary>How long to wait for a connection; null for 10 s.</summary>
        public TimeSpan? ConnectTimeout { get; set; }
        /// <summary>How long to wait for the first byte of the body; null for 600 s.</summary>
        public TimeSpan? FirstByteTimeout { get; set; }
        /// <summary>How long to wait for the next bytes; null for 300 s.</summary>
        public TimeSpan? IdleTimeout { get; set; }
        /// <summary>How long to wait for more than comments and pings; null for ever.</summary>
        public TimeSpan? ContentTimeout { get; set; }
        /// <summary>How many attempts besides the first; null for 2.</summary>
        public int? Retries { get; set; }
        /// <summary>The largest whole response that is accepted, in bytes; 0 for 16 MiB.</summary>
        public int MaxResponseBytes { get; set; }
        /// <summary>How responses are decoded; <see cref="DecoderOptions.Batch"/> has no meaning here.</summary>
        public DecoderOptions Decoder { get; set; }
    }

    /// <summary>One message of a conversation.</summary>
    public sealed class Turn
    {
        /// <summary>What <paramref name="role"/> ("system", "user", "assistant") said.</summary>
        public Turn(string role, string content)
        {
            if (role == null)
                throw new ArgumentNullException("role");
            if (content == null)
                throw new ArgumentNullException("content");
            Role = role;
            Content = content;
        }

        /// <summary>Whose it is.</summary>
        public string Role { get; private set; }
        /// <summary>What was said.</summary>
        public string Content { get; private set; }
    }

    /// <summary>What is asked: a conversation, or JSON that the caller wrote.</summary>
    public sealed class Request
    {
        /// <summary>The model that shall answer.</summary>
        public string Model { get; set; }
        /// <summary>The conversation.</summary>
        public IList<Turn> Turns { get; set; }
        /// <summary>Asks for token counts, which some providers send only then.</summary>
        public bool IncludeUsage { get; set; }
        /// <summary>How much chance there is in the reply; null leaves it to the provider.</summary>
        public double? Temperature { get; set; }
        /// <summary>The most tokens that a choice may have; 0 leaves it to the provider.</summary>
        public int MaxTokens { get; set; }
        /// <summary>How many choices; 0 leaves it to the provider.</summary>
        public int N { get; set; }
        /// <summary>In place of all that, with <see cref="Json"/>: where to post to, a path below the base URL or a whole URL.</summary>
        public string Path { get; set; }
        /// <summary>The body, which asks for a stream itself.</summary>
        public string Json { get; set; }
    }

    /// <summary>No response came, or it broke off.</summary>
    public sealed class TransportException : DeltawireException
    {
        internal TransportException(int status, string message) : base(status, message) { }

        /// <summary>The HTTP status of a refusal, such as 429; else 0.</summary>
        public int HttpStatus { get; internal set; }
        /// <summary>What the provider says went wrong.</summary>
        public ErrorKind Kind { get; internal set; }
        /// <summary>The provider's code, else its type; or null.</summary>
        public string Code { get; internal set; }
        /// <summary>The provider's message, or null.</summary>
        public string Said { get; internal set; }
        /// <summary>What the provider calls the request, for its support; or null.</summary>
        public string RequestId { get; internal set; }
        /// <summary>The body of the refusal, up to 64 KiB of it; or null.</summary>
        public string Body { get; internal set; }
        /// <summary>The same request may succeed later.</summary>
        public bool IsTransient { get; internal set; }
        /// <summary>How long the server asks to wait before another attempt; zero where it does not.</summary>
        public TimeSpan RetryAfter { get; internal set; }
    }

    /// <summary>Asks one provider, and keeps its connections. Several threads may use it.</summary>
    public sealed unsafe class Client : IDisposable
    {
        private const ulong Unlimited = ulong.MaxValue;
        private const uint None = uint.MaxValue;
        private readonly ClientHandle handle;

        /// <summary>Makes a client. It asks nobody yet.</summary>
        /// <exception cref="DeltawireException">With these options nothing can be asked.</exception>
        public Client(ClientOptions options = null)
        {
            options = options ?? new ClientOptions();
            if (options.Retries < 0 || options.MaxResponseBytes < 0)
                throw new ArgumentOutOfRangeException("options");
            var headers = new List<KeyValuePair<string, string>>(
                options.Headers ?? new KeyValuePair<string, string>[0]);
            using (var lent = new Lent())
            {
                var raw = new RawClientOptions
                {
                    StructSize = (uint)sizeof(RawClientOptions),
                    Provider = (uint)options.Provider,
                    BaseUrl = lent.Text(options.BaseUrl),
                    Key = lent.Text(options.Key),
                    ApiVersion = lent.Text(options.ApiVersion),
                    Proxy = lent.Text(options.Proxy),
                    CaFile = lent.Text(options.CaFile),
                    Headers = (RawHeader*)lent.Zeroed(headers.Count * sizeof(RawHeader)),
                    HeadersLen = (UIntPtr)(uint)headers.Count,
                    TimeoutConnectMs = Milliseconds(options.ConnectTimeout),
                    TimeoutFirstByteMs = Milliseconds(options.FirstByteTimeout),
                    TimeoutIdleMs = Milliseconds(options.IdleTimeout),
                    TimeoutContentMs = Milliseconds(options.ContentTimeout),
                    Retries = !options.Retries.HasValue ? 0 : options.Retries == 0 ? None : (uint)options.Retries,
                    MaxResponseBytes = (UIntPtr)(uint)options.MaxResponseBytes,
                };
                for (int at = 0; at < headers.Count; at++)
                {
                    raw.Headers[at].Name = lent.Text(headers[at].Key);
                    raw.Headers[at].Value = lent.Text(headers[at].Value);
                }
                if (options.Decoder != null)
                {
                    raw.Decoder = (RawDecoderOptions*)lent.Zeroed(sizeof(RawDecoderOptions));
                    *raw.Decoder = options.Decoder.ToRaw(lent);
                }
                const int size = 512;
                byte* why = lent.Zeroed(size);
                int status = Native.dw_client_new(&raw, out handle, why, (UIntPtr)size);
                if (status == Native.ErrArgument)
                    throw new ArgumentException("the client's options are refused", "options");
                if (status < 0)
                    throw new DeltawireException(status, Why(why));
            }
        }

        private static string Why(byte* text)
        {
            int length = 0;
            while (text[length] != 0)
                length++;
            return length == 0 ? null : Encoding.UTF8.GetString(text, length);
        }

        // 0 is the library's default.
        private static ulong Milliseconds(TimeSpan? limit)
        {
            if (!limit.HasValue)
                return 0;
            if (limit == Timeout.InfiniteTimeSpan)
                return Unlimited;
            if (limit <= TimeSpan.Zero)
                throw new ArgumentOutOfRangeException("options", "a limit of time is zero or less");
            return (ulong)Math.Ceiling(limit.Value.TotalMilliseconds);
        }

        /// <summary>A request; it is sent when its first delta is asked for.</summary>
        /// <param name="request">What is asked.</param>
        /// <param name="cancellation">Ends the stream, also while a thread waits for its next delta.</param>
        public DeltaStream Stream(Request request, CancellationToken cancellation = default(CancellationToken))
        {
            if (request == null)
                throw new ArgumentNullException("request");
            if (request.MaxTokens < 0 || request.N < 0)
                throw new ArgumentOutOfRangeException("request");
            IList<Turn> turns = request.Turns ?? new Turn[0];
            using (var lent = new Lent())
            {
                var raw = new RawRequest
                {
                    StructSize = (uint)sizeof(RawRequest),
                    Flags = (request.IncludeUsage ? 1u : 0) | (request.Temperature.HasValue ? 2u : 0),
                    Model = lent.Text(request.Model),
                    Turns = (RawTurn*)lent.Zeroed(turns.Count * sizeof(RawTurn)),
                    TurnsLen = (UIntPtr)(uint)turns.Count,
                    MaxTokens = (uint)request.MaxTokens,
                    N = (uint)request.N,
                    Temperature = request.Temperature ?? 0,
                    Path = lent.Text(request.Path),
                    Json = lent.Text(request.Json),
                };
                for (int at = 0; at < turns.Count; at++)
                {
                    raw.Turns[at].Role = lent.Text(turns[at].Role);
                    raw.Turns[at].Content = lent.Text(turns[at].Content);
                }
                StreamHandle stream;
                DeltawireException.Check(Native.dw_client_stream(handle, &raw, out stream));
                return new DeltaStream(stream, cancellation);
            }
        }

        /// <summary>Frees the client; its streams go on.</summary>
        public void Dispose()
        {
            handle.Dispose();
        }
    }

    /// <summary>
    /// One request and its response: its deltas, as they come. One thread may read it at a time;
    /// <see cref="Cancel"/> may come from any.
    /// </summary>
    public sealed unsafe class DeltaStream : IEnumerable<Delta>, IDisposable
    {
        private readonly StreamHandle handle;
        private readonly CancellationToken cancellation;
        private readonly CancellationTokenRegistration registration;

        internal DeltaStream(StreamHandle handle, CancellationToken cancellation)
        {
            this.handle = handle;
            this.cancellation = cancellation;
            // Of the handle alone, so that a token that lives long keeps no stream from its finaliser.
            var weak = new WeakReference<StreamHandle>(handle);
            registration = cancellation.Register(() => CancelHandle(weak));
        }

        private static void CancelHandle(WeakReference<StreamHandle> weak)
        {
            StreamHandle handle;
            if (!weak.TryGetTarget(out handle))
                return;
            try
            {
                Native.dw_stream_cancel(handle);
            }
            catch (ObjectDisposedException)
            {
                // There is nothing left to end.
            }
        }

        /// <summary>Waits for the next delta; null at the end of the response.</summary>
        /// <exception cref="TransportException">No response came, or it broke off.</exception>
        /// <exception cref="OperationCanceledException">The stream was cancelled.</exception>
        public Delta Next()
        {
            RawDelta raw;
            int status = Native.dw_stream_next(handle, &raw);
            Delta delta = null;
            if (status == Native.Delta)
                delta = Delta.Of(&raw);
            else if (DeltawireException.IsOfEvent(status))
                delta = new Delta { Kind = DeltaKind.EventError, EventError = Failure(status) };
            else
                Check(status);
            GC.KeepAlive(this);
            return delta;
        }

        /// <summary>The deltas as they come. A second loop goes on where the first one was left.</summary>
        public IEnumerator<Delta> GetEnumerator()
        {
            Delta delta;
            while ((delta = Next()) != null)
                yield return delta;
        }

        IEnumerator IEnumerable.GetEnumerator()
        {
            return GetEnumerator();
        }

        /// <summary>Waits for the whole response, of a request that asks for no stream, and reads it into a message.</summary>
        public void Fetch(Message message)
        {
            if (message == null)
                throw new ArgumentNullException("message");
            Check(Native.dw_stream_fetch(handle, message.Handle));
        }

        /// <summary>Ends the stream: who waits for its next delta gets an OperationCanceledException at once.</summary>
        public void Cancel()
        {
            Native.dw_stream_cancel(handle);
        }

        /// <summary>How the stream ended, or would have if it ended here.</summary>
        public End End
        {
            get { return (End)Native.dw_stream_end(handle); }
        }

        private void Check(int status)
        {
            if (status >= 0)
                return;
            TransportException failure = Failure(status);
            if (status == Native.ErrCancelled)
                throw new OperationCanceledException(failure.Message, failure, cancellation);
            throw failure;
        }

        private TransportException Failure(int status)
        {
            RawFailure raw;
            if (Native.dw_stream_failure(handle, &raw) != Native.Ok || raw.Status != status)
                return new TransportException(status, null);
            var failure = new TransportException(status, raw.Message.Some())
            {
                Offset = raw.Offset,
                HttpStatus = (int)raw.HttpStatus,
                Kind = (ErrorKind)raw.ErrorKind,
                Code = raw.Code.Some(),
                Said = raw.Said.Some(),
                RequestId = raw.RequestId.Some(),
                Body = raw.Body.Some(),
                IsTransient = raw.Transient == 1,
                RetryAfter = TimeSpan.FromMilliseconds(raw.RetryAfterMs),
            };
            GC.KeepAlive(this);
            return failure;
        }

        /// <summary>Frees the stream and ends its connection; a second time does nothing.</summary>
        public void Dispose()
        {
            registration.Dispose();
            handle.Dispose();
        }
    }
}
