// Deltas as the command `deltawire deltas` prints them: a JSON object a line, keys in a fixed order, absent
// ones left out, no spaces, non-ASCII as it is.
using System.Globalization;
using System.Text;
using Deltawire;

internal static class Lines
{
    /// <summary>The line of a delta.</summary>
    public static string Of(Delta delta)
    {
        var line = new StringBuilder("{\"type\":\"").Append(delta.Kind.Name()).Append('"');
        switch (delta.Kind)
        {
            case DeltaKind.Start:
                PutSome(line, "id", delta.Id);
                PutSome(line, "model", delta.Model);
                PutSome(line, "role", delta.Role);
                break;
            case DeltaKind.Text:
            case DeltaKind.Reasoning:
            case DeltaKind.Refusal:
                Put(line, "choice", delta.Choice);
                Put(line, "text", delta.Text);
                break;
            case DeltaKind.ToolCallStart:
            case DeltaKind.ServerToolCallStart:
                Put(line, "choice", delta.Choice);
                Put(line, "index", delta.Index);
                PutSome(line, "id", delta.Id);
                PutSome(line, "name", delta.Name);
                break;
            case DeltaKind.ToolCallArguments:
            case DeltaKind.ServerToolCallArguments:
                Put(line, "choice", delta.Choice);
                Put(line, "index", delta.Index);
                Put(line, "fragment", delta.Text);
                if (delta.IsWhole)
                    line.Append(",\"whole\":true");
                break;
            case DeltaKind.Finish:
                Put(line, "choice", delta.Choice);
                Put(line, "reason", delta.FinishReason.Name());
                Put(line, "raw", delta.RawText);
                break;
            case DeltaKind.Usage:
                PutCount(line, "input_tokens", delta.Usage.InputTokens);
                PutCount(line, "output_tokens", delta.Usage.OutputTokens);
                PutCount(line, "total_tokens", delta.Usage.TotalTokens);
                PutCount(line, "cached_tokens", delta.Usage.CachedTokens);
                PutCount(line, "cache_creation_tokens", delta.Usage.CacheCreationTokens);
                PutCount(line, "reasoning_tokens", delta.Usage.ReasoningTokens);
                break;
            case DeltaKind.Error:
                Put(line, "kind", delta.ErrorKind.Name());
                PutSome(line, "code", delta.Code);
                Put(line, "message", delta.Text);
                line.Append(",\"transient\":").Append(delta.IsTransient ? "true" : "false");
                break;
            case DeltaKind.Other:
                Put(line, "event", delta.Name);
                Put(line, "raw", delta.RawText);
                break;
        }
        return line.Append("}\n").ToString();
    }

    /// <summary>The last line.</summary>
    public static string Of(End end)
    {
        return "{\"type\":\"end\",\"complete\":" + (end == End.Complete ? "true" : "false") + "}\n";
    }

    /// <summary>A JSON string.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder("\"", text.Length + 2);
        foreach (char c in text)
        {
            switch (c)
            {
                case '"': quoted.Append("\\\""); break;
                case '\\': quoted.Append("\\\\"); break;
                case '\n': quoted.Append("\\n"); break;
                case '\r': quoted.Append("\\r"); break;
                case '\t': quoted.Append("\\t"); break;
                case '\b': quoted.Append("\\b"); break;
                case '\f': quoted.Append("\\f"); break;
                default:
                    if (c < ' ')
                        quoted.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
                    else
                        quoted.Append(c);
                    break;
            }
        }
        return quoted.Append('"').ToString();
    }

    private static void Put(StringBuilder line, string key, string text)
    {
        line.Append(",\"").Append(key).Append("\":").Append(Quote(text));
    }

    private static void PutSome(StringBuilder line, string key, string text)
    {
        if (text != null)
            Put(line, key, text);
    }

    private static void Put(StringBuilder line, string key, int number)
    {
        line.Append(",\"").Append(key).Append("\":").Append(number.ToString(CultureInfo.InvariantCulture));
    }

    private static void PutCount(StringBuilder line, string key, ulong? count)
    {
        if (count.HasValue)
            line.Append(",\"").Append(key).Append("\":").Append(count.Value.ToString(CultureInfo.InvariantCulture));
    }
}
