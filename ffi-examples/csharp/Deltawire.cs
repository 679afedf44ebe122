// Streaming responses of language models, read with deltawire.
//
//     using (var decoder = new DeltaDecoder())
//     {
//         foreach (Delta delta in decoder.Feed(chunk)) ...     // for each chunk of the body
//         foreach (Delta delta in decoder.Finish()) ...        // at its end
//     }
//
// Strings and arrays that are handed out are copies, made when their delta is: they stay right for as long
// as they are kept. This file has the vocabulary, Decoder.cs the decoder, Message.cs replies put together,
// Client.cs the library's own transport, Native.cs what they stand on. Compile with -unsafe.
using System;
using System.Text;

namespace Deltawire
{
    /// <summary>The providers' wire formats.</summary>
    public enum Dialect
    {
        /// <summary>As an option: recognise it by the first events. As an answer: not known yet.</summary>
        Auto, OpenAIChat, OpenAICompletions, OpenAIResponses, OpenAIAssistants, Anthropic, AnthropicComplete,
        Gemini, GeminiInteractions, Cohere, Ollama, Tgi, Watsonx, Replicate, LlamaCpp, Bedrock,
    }

    /// <summary>How a stream ended.</summary>
    public enum End
    {
        /// <summary>Nobody has said yet.</summary>
        Unknown,
        /// <summary>All came.</summary>
        Complete,
        /// <summary>Something is missing, or an error took its place.</summary>
        Truncated,
        /// <summary>It was no stream of a known provider; <see cref="DeltaDecoder.Seen"/> has its beginning.</summary>
        Unrecognised,
    }

    /// <summary>Why a choice ended.</summary>
    public enum FinishReason { None, Stop, Length, ToolCalls, ContentFilter, Error, Other }

    /// <summary>What went wrong at the provider's.</summary>
    public enum ErrorKind
    {
        None, Authentication, Permission, NotFound, RateLimit, Overloaded, ContextLength, InvalidRequest,
        ContentFilter, Timeout, Server, Other,
    }

    /// <summary>
    /// What a delta is, and which of its properties say something. A newer library may have others: pass over
    /// values that are not known.
    /// </summary>
    public enum DeltaKind
    {
        /// <summary>One event could not be read: <c>EventError</c>. The stream goes on behind it.</summary>
        EventError = 0,
        /// <summary>The message begins: <c>Id</c>, <c>Model</c>, <c>Role</c>.</summary>
        Start = 1,
        /// <summary>A piece of the reply: <c>Choice</c>, <c>Text</c>.</summary>
        Text = 2,
        /// <summary>A piece of the model's reasoning: <c>Choice</c>, <c>Text</c>.</summary>
        Reasoning = 3,
        /// <summary>A piece of the model's refusal: <c>Choice</c>, <c>Text</c>.</summary>
        Refusal = 4,
        /// <summary>A tool call begins: <c>Choice</c>, <c>Index</c>, <c>Id</c>, <c>Name</c>.</summary>
        ToolCallStart = 5,
        /// <summary>A piece of its arguments: <c>Choice</c>, <c>Index</c>, <c>Text</c>, <c>IsWhole</c>.</summary>
        ToolCallArguments = 6,
        /// <summary>As <see cref="ToolCallStart"/>, of a tool that the provider runs.</summary>
        ServerToolCallStart = 7,
        /// <summary>As <see cref="ToolCallArguments"/>, of a tool that the provider runs.</summary>
        ServerToolCallArguments = 8,
        /// <summary>A choice is at its end: <c>Choice</c>, <c>FinishReason</c>, <c>Raw</c>, the provider's word.</summary>
        Finish = 9,
        /// <summary>Token counts so far: <c>Usage</c>. Each number replaces the one before it.</summary>
        Usage = 10,
        /// <summary>The provider reports an error: <c>ErrorKind</c>, <c>Code</c>, <c>Text</c>, <c>IsTransient</c>, <c>Raw</c>.</summary>
        Error = 11,
        /// <summary>What has no place among the others: <c>Name</c>, what it is, and <c>Raw</c>, the payload.</summary>
        Other = 12,
        /// <summary>The provider's own end of the stream.</summary>
        Done = 13,
    }

    /// <summary>The names that the command <c>deltawire</c> prints.</summary>
    public static class Names
    {
        /// <summary>The version of the library, such as "0.1.0".</summary>
        public static string Version
        {
            get { return Native.Name(Native.dw_version()); }
        }

        /// <summary>Such as "openai-chat".</summary>
        public static string Name(this Dialect dialect)
        {
            return Native.Name(Native.dw_dialect_name((uint)dialect));
        }

        /// <summary>Such as "tool_calls".</summary>
        public static string Name(this FinishReason reason)
        {
            return Native.Name(Native.dw_finish_reason_name((uint)reason));
        }

        /// <summary>Such as "rate_limit".</summary>
        public static string Name(this ErrorKind kind)
        {
            return Native.Name(Native.dw_error_kind_name((uint)kind));
        }

        /// <summary>Such as "tool_call_start".</summary>
        public static string Name(this DeltaKind kind)
        {
            return kind == DeltaKind.EventError ? "event_error" : Native.Name(Native.dw_delta_kind_name((uint)kind));
        }

        /// <summary>The dialect of a name, as a program's user gives it; "auto" is <see cref="Dialect.Auto"/>.</summary>
        /// <exception cref="ArgumentException">No dialect has that name, or it is null.</exception>
        public static unsafe Dialect DialectByName(string name)
        {
            if (name == null)
                throw new ArgumentNullException("name");
            if (name == "auto")
                return Dialect.Auto;
            using (var lent = new Lent())
            {
                Slice slice = lent.Text(name);
                uint dialect = Native.dw_dialect_by_name(slice.Ptr, slice.Len);
                if (dialect == 0)
                    throw new ArgumentException("unknown dialect: " + name, "name");
                return (Dialect)dialect;
            }
        }
    }

    /// <summary>A call that failed, or, in <see cref="Delta.EventError"/>, one event that could not be read.</summary>
    public class DeltawireException : Exception
    {
        internal DeltawireException(int status, string message = null)
            : base(message ?? Native.Name(Native.dw_status_message(status)))
        {
            Status = status;
        }

        /// <summary>A <c>dw_status</c> of deltawire.h, below zero.</summary>
        public int Status { get; private set; }

        /// <summary>Its name, such as "DW_ERR_NOT_JSON".</summary>
        public string StatusName
        {
            get { return Native.Name(Native.dw_status_name(Status)); }
        }

        /// <summary>Where in the stream the event begins, in bytes from its start.</summary>
        public ulong Offset { get; internal set; }

        internal static void Check(int status)
        {
            if (status < 0)
                throw new DeltawireException(status);
        }

        internal static bool IsOfEvent(int status)
        {
            return status <= -10 && status > -20;
        }
    }

    /// <summary>Token counts with the provider's meaning; null where the stream gave none.</summary>
    public sealed class Usage
    {
        /// <summary>Tokens of the prompt.</summary>
        public ulong? InputTokens { get; set; }
        /// <summary>Tokens of the reply.</summary>
        public ulong? OutputTokens { get; set; }
        /// <summary>All tokens, as the provider adds them up.</summary>
        public ulong? TotalTokens { get; set; }
        /// <summary>Tokens of the prompt that were read from a cache.</summary>
        public ulong? CachedTokens { get; set; }
        /// <summary>Tokens of the prompt that were written to a cache.</summary>
        public ulong? CacheCreationTokens { get; set; }
        /// <summary>Tokens spent on reasoning.</summary>
        public ulong? ReasoningTokens { get; set; }

        internal static Usage Of(ref RawUsage raw)
        {
            uint known = raw.Known;
            return new Usage
            {
                InputTokens = (known & 1) != 0 ? raw.InputTokens : (ulong?)null,
                OutputTokens = (known & 2) != 0 ? raw.OutputTokens : (ulong?)null,
                TotalTokens = (known & 4) != 0 ? raw.TotalTokens : (ulong?)null,
                CachedTokens = (known & 8) != 0 ? raw.CachedTokens : (ulong?)null,
                CacheCreationTokens = (known & 16) != 0 ? raw.CacheCreationTokens : (ulong?)null,
                ReasoningTokens = (known & 32) != 0 ? raw.ReasoningTokens : (ulong?)null,
            };
        }

        internal RawUsage ToRaw()
        {
            return new RawUsage
            {
                Known = (InputTokens.HasValue ? 1u : 0) | (OutputTokens.HasValue ? 2u : 0)
                    | (TotalTokens.HasValue ? 4u : 0) | (CachedTokens.HasValue ? 8u : 0)
                    | (CacheCreationTokens.HasValue ? 16u : 0) | (ReasoningTokens.HasValue ? 32u : 0),
                InputTokens = InputTokens ?? 0,
                OutputTokens = OutputTokens ?? 0,
                TotalTokens = TotalTokens ?? 0,
                CachedTokens = CachedTokens ?? 0,
                CacheCreationTokens = CacheCreationTokens ?? 0,
                ReasoningTokens = ReasoningTokens ?? 0,
            };
        }
    }

    /// <summary>
    /// One piece of news from a stream. <see cref="Kind"/> says which properties have it; all others are null,
    /// zero or false.
    /// </summary>
    public sealed unsafe class Delta
    {
        /// <summary>What it is.</summary>
        public DeltaKind Kind { get; set; }
        /// <summary>The choice it belongs to, from 0.</summary>
        public int Choice { get; set; }
        /// <summary>The tool call's index on the wire, else a running count. Some number from -1.</summary>
        public int Index { get; set; }
        /// <summary>The piece of text or of JSON arguments, to be appended; or the error's message.</summary>
        public string Text { get; set; }
        /// <summary>The provider's name for the response, or for the tool call.</summary>
        public string Id { get; set; }
        /// <summary>The tool's name; or what a delta of the kind Other is.</summary>
        public string Name { get; set; }
        /// <summary>The model that answers.</summary>
        public string Model { get; set; }
        /// <summary>Whose message it is: "assistant".</summary>
        public string Role { get; set; }
        /// <summary>The error's code, else its type.</summary>
        public string Code { get; set; }
        /// <summary>What came on the wire: the word for a finish reason, or a whole payload. It may not be UTF-8.</summary>
        public byte[] Raw { get; set; }
        /// <summary>Token counts.</summary>
        public Usage Usage { get; set; }
        /// <summary>What could not be read.</summary>
        public DeltawireException EventError { get; set; }
        /// <summary>Why the choice ended.</summary>
        public FinishReason FinishReason { get; set; }
        /// <summary>What went wrong.</summary>
        public ErrorKind ErrorKind { get; set; }
        /// <summary><see cref="Text"/> is all of the arguments, in place of any that came before.</summary>
        public bool IsWhole { get; set; }
        /// <summary>The same request may succeed later.</summary>
        public bool IsTransient { get; set; }

        /// <summary><see cref="Raw"/> as text; what is not UTF-8 is U+FFFD, as often as the WHATWG has it.</summary>
        public string RawText
        {
            get { return Raw == null ? null : Utf8.Decode(Raw); }
        }

        private const uint Whole = 1, Transient = 2;

        internal static Delta Of(RawDelta* raw)
        {
            var delta = new Delta { Kind = (DeltaKind)raw->Kind, Choice = (int)raw->Choice };
            switch (delta.Kind)
            {
                case DeltaKind.Text:
                case DeltaKind.Reasoning:
                case DeltaKind.Refusal:
                    delta.Text = raw->Text.ToString();
                    break;
                case DeltaKind.Start:
                    delta.Id = raw->Id.Some();
                    delta.Model = raw->Model.Some();
                    delta.Role = raw->Role.Some();
                    break;
                case DeltaKind.ToolCallStart:
                case DeltaKind.ServerToolCallStart:
                    delta.Index = raw->Index;
                    delta.Id = raw->Id.Some();
                    delta.Name = raw->Name.Some();
                    break;
                case DeltaKind.ToolCallArguments:
                case DeltaKind.ServerToolCallArguments:
                    delta.Index = raw->Index;
                    delta.Text = raw->Text.ToString();
                    delta.IsWhole = (raw->Flags & Whole) != 0;
                    break;
                case DeltaKind.Finish:
                    delta.FinishReason = (FinishReason)raw->FinishReason;
                    delta.Raw = raw->Raw.ToArray();
                    break;
                case DeltaKind.Usage:
                    delta.Usage = Usage.Of(ref raw->Usage);
                    break;
                case DeltaKind.Error:
                    delta.ErrorKind = (ErrorKind)raw->ErrorKind;
                    delta.Code = raw->Code.Some();
                    delta.Text = raw->Text.ToString();
                    delta.IsTransient = (raw->Flags & Transient) != 0;
                    delta.Raw = raw->Raw.ToArray();
                    break;
                case DeltaKind.Other:
                    delta.Name = raw->Name.ToString();
                    delta.Raw = raw->Raw.ToArray();
                    break;
            }
            return delta;
        }

        internal RawDelta ToRaw(Lent lent)
        {
            return new RawDelta
            {
                Kind = (uint)Kind,
                Choice = (uint)Choice,
                Index = Index,
                Flags = (IsWhole ? Whole : 0) | (IsTransient ? Transient : 0),
                FinishReason = (uint)FinishReason,
                ErrorKind = (uint)ErrorKind,
                Text = lent.Text(Text),
                Id = lent.Text(Id),
                Name = lent.Text(Name),
                Model = lent.Text(Model),
                Role = lent.Text(Role),
                Code = lent.Text(Code),
                Raw = lent.Bytes(Raw),
                Usage = Usage == null ? default(RawUsage) : Usage.ToRaw(),
            };
        }
    }

    /// <summary>UTF-8 that may be none. Runtimes differ in how many U+FFFD they put for what is not.</summary>
    internal static class Utf8
    {
        public static string Decode(byte[] bytes)
        {
            var text = new StringBuilder(bytes.Length);
            int start = 0, at = 0;
            while (at < bytes.Length)
            {
                int length = Character(bytes, at);
                if (length > 0)
                {
                    at += length;
                    continue;
                }
                text.Append(Encoding.UTF8.GetString(bytes, start, at - start)).Append('\uFFFD');
                start = at -= length;
            }
            return text.Append(Encoding.UTF8.GetString(bytes, start, at - start)).ToString();
        }

        // How many bytes the character at `at` has; what is none counts negative, as far as it could be one.
        private static int Character(byte[] bytes, int at)
        {
            byte first = bytes[at];
            if (first < 0x80)
                return 1;
            if (first < 0xC2 || first > 0xF4)
                return -1;
            int want = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
            int low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
            int high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
            for (int offset = 1; offset < want; offset++)
            {
                if (at + offset == bytes.Length || bytes[at + offset] < low || bytes[at + offset] > high)
                    return -offset;
                low = 0x80;
                high = 0xBF;
            }
            return want;
        }
    }
}
