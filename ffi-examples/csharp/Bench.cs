// What reading a stream costs, beside StreamReader.ReadLine and a JSON parser: `bench FILE`, a stream of OpenAI
// chat chunks. Rows, tab-separated: name, mode, nanoseconds an event, deltas of text, bytes of text. In the mode
// `16k` the bytes come in pieces of 16 KiB, in `event` one event a piece. The least of five rounds counts.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Text;
using System.Web.Script.Serialization;
using Deltawire;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

[DataContract]
internal sealed class ChunkDelta
{
    [DataMember(Name = "content"), JsonProperty("content")]
    public string Content { get; set; }
}

[DataContract]
internal sealed class ChunkChoice
{
    [DataMember(Name = "delta"), JsonProperty("delta")]
    public ChunkDelta Delta { get; set; }
}

[DataContract]
internal sealed class Chunk
{
    [DataMember(Name = "choices"), JsonProperty("choices")]
    public List<ChunkChoice> Choices { get; set; }
}

// A body whose reads end where the pieces do, as a network's do.
internal sealed class PieceStream : Stream
{
    private readonly List<ArraySegment<byte>> pieces;
    private int piece, at;

    public PieceStream(List<ArraySegment<byte>> pieces)
    {
        this.pieces = pieces;
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        if (piece == pieces.Count)
            return 0;
        ArraySegment<byte> from = pieces[piece];
        int length = Math.Min(count, from.Count - at);
        Buffer.BlockCopy(from.Array, from.Offset + at, buffer, offset, length);
        at += length;
        if (at == from.Count)
        {
            piece++;
            at = 0;
        }
        return length;
    }

    public override bool CanRead { get { return true; } }
    public override bool CanSeek { get { return false; } }
    public override bool CanWrite { get { return false; } }
    public override long Length { get { throw new NotSupportedException(); } }
    public override long Position
    {
        get { throw new NotSupportedException(); }
        set { throw new NotSupportedException(); }
    }
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) { throw new NotSupportedException(); }
    public override void SetLength(long value) { throw new NotSupportedException(); }
    public override void Write(byte[] buffer, int offset, int count) { throw new NotSupportedException(); }
}

internal static class Bench
{
    private static void ByDeltawire(Stream body, StringBuilder text, ref int count, int batch)
    {
        using (var decoder = new DeltaDecoder(new DecoderOptions { Batch = batch }))
        {
            var buffer = new byte[16384];
            int length;
            while ((length = body.Read(buffer, 0, buffer.Length)) > 0)
                foreach (Delta delta in decoder.Feed(buffer, 0, length))
                    if (delta.Kind == DeltaKind.Text)
                    {
                        text.Append(delta.Text);
                        count++;
                    }
            foreach (Delta delta in decoder.Finish())
                throw new InvalidDataException("a delta at the end");
            if (decoder.End != End.Complete)
                throw new InvalidDataException("the stream is not complete");
        }
    }

    // The lines of `body`, and what `content` finds in those of data.
    private static void ByLines(Stream body, StringBuilder text, ref int count, Func<string, string> content)
    {
        using (var reader = new StreamReader(body, Encoding.UTF8, false, 16384))
        {
            string line;
            while ((line = reader.ReadLine()) != null)
            {
                if (!line.StartsWith("data: ", StringComparison.Ordinal) || line == "data: [DONE]")
                    continue;
                string piece = content(line.Substring(6));
                if (piece != null)
                {
                    text.Append(piece);
                    count++;
                }
            }
        }
    }

    private static string Content(Chunk chunk)
    {
        return chunk.Choices.Count == 0 ? null : chunk.Choices[0].Delta.Content;
    }

    private static string ByNewtonsoftTyped(string data)
    {
        return Content(JsonConvert.DeserializeObject<Chunk>(data));
    }

    private static string ByNewtonsoftObject(string data)
    {
        var choices = (JArray)JObject.Parse(data)["choices"];
        return choices.Count == 0 ? null : (string)choices[0]["delta"]["content"];
    }

    private static readonly DataContractJsonSerializer Contract = new DataContractJsonSerializer(typeof(Chunk));

    private static string ByDataContract(string data)
    {
        using (var bytes = new MemoryStream(Encoding.UTF8.GetBytes(data)))
            return Content((Chunk)Contract.ReadObject(bytes));
    }

    private static readonly JavaScriptSerializer Script = new JavaScriptSerializer();

    private static string ByJavaScriptSerializer(string data)
    {
        var chunk = (Dictionary<string, object>)Script.DeserializeObject(data);
        var choices = (object[])chunk["choices"];
        if (choices.Length == 0)
            return null;
        object content;
        var delta = (Dictionary<string, object>)((Dictionary<string, object>)choices[0])["delta"];
        return delta.TryGetValue("content", out content) ? (string)content : null;
    }

    private delegate void Reader(Stream body, StringBuilder text, ref int count);

    private static void Measure(string name, string mode, List<ArraySegment<byte>> pieces, int events, Reader read)
    {
        double least = double.MaxValue;
        int count = 0;
        string text = null;
        for (int round = 0; round <= 5; round++)
        {
            GC.Collect();
            var joined = new StringBuilder();
            count = 0;
            var watch = Stopwatch.StartNew();
            read(new PieceStream(pieces), joined, ref count);
            text = joined.ToString();
            watch.Stop();
            if (round > 0)
                least = Math.Min(least, watch.Elapsed.TotalMilliseconds * 1e6 / events);
        }
        Console.WriteLine("{0}\t{1}\t{2:0}\t{3}\t{4}", name, mode, least, count, Encoding.UTF8.GetByteCount(text));
    }

    private static int Main(string[] arguments)
    {
        if (arguments.Length != 1)
        {
            Console.Error.WriteLine("usage: bench FILE");
            return 2;
        }
        byte[] bytes = File.ReadAllBytes(arguments[0]);
        var bySize = new List<ArraySegment<byte>>();
        for (int at = 0; at < bytes.Length; at += 16384)
            bySize.Add(new ArraySegment<byte>(bytes, at, Math.Min(16384, bytes.Length - at)));
        var byEvent = new List<ArraySegment<byte>>();
        int start = 0;
        for (int at = 1; at < bytes.Length; at++)
            if (bytes[at] == '\n' && bytes[at - 1] == '\n' || at == bytes.Length - 1)
            {
                byEvent.Add(new ArraySegment<byte>(bytes, start, at + 1 - start));
                start = at + 1;
            }
        foreach (string mode in new[] { "16k", "event" })
        {
            List<ArraySegment<byte>> pieces = mode == "16k" ? bySize : byEvent;
            Action<string, Reader> row = (name, read) => Measure(name, mode, pieces, byEvent.Count, read);
            row("deltawire", (Stream body, StringBuilder text, ref int count) =>
                ByDeltawire(body, text, ref count, 64));
            row("deltawire, one call a delta", (Stream body, StringBuilder text, ref int count) =>
                ByDeltawire(body, text, ref count, 1));
            row("ReadLine + Newtonsoft.Json, typed", (Stream body, StringBuilder text, ref int count) =>
                ByLines(body, text, ref count, ByNewtonsoftTyped));
            row("ReadLine + Newtonsoft.Json, JObject", (Stream body, StringBuilder text, ref int count) =>
                ByLines(body, text, ref count, ByNewtonsoftObject));
            row("ReadLine + DataContractJsonSerializer", (Stream body, StringBuilder text, ref int count) =>
                ByLines(body, text, ref count, ByDataContract));
            row("ReadLine + JavaScriptSerializer", (Stream body, StringBuilder text, ref int count) =>
                ByLines(body, text, ref count, ByJavaScriptSerializer));
        }
        return 0;
    }
}
