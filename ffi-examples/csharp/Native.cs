// What deltawire.h says, as C# sees it. Nothing here is for programs to use.
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;

namespace Deltawire
{
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct Slice
    {
        public byte* Ptr;
        public UIntPtr Len;

        public int Length
        {
            // No array and no string is longer, so a longer slice is an OverflowException.
            get { return checked((int)Len.ToUInt64()); }
        }

        public override string ToString()
        {
            int length = Length;
            return length == 0 ? "" : Encoding.UTF8.GetString(Ptr, length);
        }

        // null where the provider gave nothing.
        public string Some()
        {
            return Len == UIntPtr.Zero ? null : ToString();
        }

        public byte[] ToArray()
        {
            var bytes = new byte[Length];
            if (bytes.Length > 0)
                Marshal.Copy((IntPtr)Ptr, bytes, 0, bytes.Length);
            return bytes;
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct RawInput
    {
        public byte* Data;
        public UIntPtr Len, Pos;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct RawError
    {
        public int Status;
        public uint Reserved0;
        public ulong Offset, At;
        public Slice Message;
        public fixed ulong Reserved[4];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct RawUsage
    {
        public uint Known, Reserved0;
        public ulong InputTokens, OutputTokens, TotalTokens, CachedTokens, CacheCreationTokens, ReasoningTokens;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct RawDelta
    {
        public uint Kind, Choice;
        public int Index;
        public uint Flags, FinishReason, ErrorKind;
        public Slice Text, Id, Name, Model, Role, Code, Raw;
        public RawUsage Usage;
        public fixed ulong Reserved[4];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct RawDecoderOptions
    {
        public uint StructSize, Dialect, Framing, Eof, Flags, Reserved0;
        public UIntPtr MaxEventBytes;
        public Slice TextField, ReasoningField;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct RawMessageInfo
    {
        public Slice Id, Model, Role;
        public RawUsage Usage;
        public UIntPtr Choices, ToolCalls, ServerToolCalls;
        public uint End, IsComplete, ErrorKind, ErrorTransient;
        public Slice ErrorCode, ErrorMessage;
        public fixed ulong Reserved[4];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct RawChoice
    {
        public uint Index, FinishReason;
        public Slice FinishRaw, Text, Reasoning, Refusal;
        public fixed ulong Reserved[4];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct RawToolCall
    {
        public uint Choice;
        public int Index;
        public Slice Id, Name, Arguments;
        public fixed ulong Reserved[4];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct RawHeader
    {
        public Slice Name, Value;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct RawClientOptions
    {
        public uint StructSize, Provider;
        public Slice BaseUrl, Key, ApiVersion, Proxy, CaFile;
        public RawHeader* Headers;
        public UIntPtr HeadersLen;
        public ulong TimeoutConnectMs, TimeoutFirstByteMs, TimeoutIdleMs, TimeoutContentMs;
        public uint Retries, Reserved0;
        public UIntPtr MaxResponseBytes;
        public RawDecoderOptions* Decoder;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct RawTurn
    {
        public Slice Role, Content;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct RawRequest
    {
        public uint StructSize, Flags;
        public Slice Model;
        public RawTurn* Turns;
        public UIntPtr TurnsLen;
        public uint MaxTokens, N;
        public double Temperature;
        public Slice Path, Json;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct RawFailure
    {
        public int Status;
        public uint HttpStatus, ErrorKind, Transient;
        public ulong RetryAfterMs, Offset;
        public Slice Message, Code, Said, RequestId, Body;
        public fixed ulong Reserved[4];
    }

    /// <summary>
    /// Frees an object of the library once, when it is disposed of or else by the finaliser. The marshaller
    /// keeps it alive during every call that it is an argument of, so that <c>dw_stream_cancel</c> on another
    /// thread never meets a freed stream, and throws an ObjectDisposedException where it is closed.
    /// </summary>
    internal abstract class Handle : SafeHandle
    {
        protected Handle() : base(IntPtr.Zero, true) { }

        public override bool IsInvalid
        {
            get { return handle == IntPtr.Zero; }
        }
    }

    internal sealed class DecoderHandle : Handle
    {
        protected override bool ReleaseHandle() { Native.dw_decoder_free(handle); return true; }
    }

    internal sealed class MessageHandle : Handle
    {
        protected override bool ReleaseHandle() { Native.dw_message_free(handle); return true; }
    }

    internal sealed class ClientHandle : Handle
    {
        protected override bool ReleaseHandle() { Native.dw_client_free(handle); return true; }
    }

    internal sealed class StreamHandle : Handle
    {
        protected override bool ReleaseHandle() { Native.dw_stream_free(handle); return true; }
    }

    /// <summary>Memory that does not move, for what is lent to one call.</summary>
    internal sealed unsafe class Lent : IDisposable
    {
        private readonly List<IntPtr> blocks = new List<IntPtr>();

        public byte* Zeroed(int size)
        {
            IntPtr block = Marshal.AllocHGlobal(Math.Max(size, 1));
            blocks.Add(block);
            for (int at = 0; at < size; at++)
                ((byte*)block)[at] = 0;
            return (byte*)block;
        }

        public Slice Bytes(byte[] bytes)
        {
            if (bytes == null)
                return default(Slice);
            byte* memory = Zeroed(bytes.Length);
            Marshal.Copy(bytes, 0, (IntPtr)memory, bytes.Length);
            return new Slice { Ptr = memory, Len = (UIntPtr)(uint)bytes.Length };
        }

        public Slice Text(string text)
        {
            return Bytes(text == null ? null : Encoding.UTF8.GetBytes(text));
        }

        public void Dispose()
        {
            foreach (IntPtr block in blocks)
                Marshal.FreeHGlobal(block);
            blocks.Clear();
        }
    }

    internal static unsafe class Native
    {
        // Where the loader looks. A dllmap (Mono) or a resolver of DllImport (.NET) gives it another name or place.
        private const string Library = "libdeltawire.so.0.1";

        public const int Ok = 0, Delta = 1, ErrArgument = -1, ErrNotAResponse = -5, ErrNotJson = -13, ErrCancelled = -33;

        static Native()
        {
            if (dw_abi_version() != 1)
                throw new DllNotFoundException("deltawire: the library has another ABI than this binding");
            if (IntPtr.Size != 8)
                return;
            Check("dw_delta", sizeof(RawDelta), 224);
            Check("dw_error", sizeof(RawError), 72);
            Check("dw_usage", sizeof(RawUsage), 56);
            Check("dw_decoder_options", sizeof(RawDecoderOptions), 64);
            Check("dw_message_info", sizeof(RawMessageInfo), 208);
            Check("dw_choice", sizeof(RawChoice), 104);
            Check("dw_tool_call", sizeof(RawToolCall), 88);
            Check("dw_client_options", sizeof(RawClientOptions), 160);
            Check("dw_request", sizeof(RawRequest), 88);
            Check("dw_failure", sizeof(RawFailure), 144);
        }

        private static void Check(string name, int size, int expected)
        {
            if (size != expected)
                throw new InvalidOperationException("deltawire: wrong size of " + name + ": " + size);
        }

        // Static text, which is ASCII.
        public static string Name(IntPtr text)
        {
            return Marshal.PtrToStringAnsi(text);
        }

        [DllImport(Library)] public static extern IntPtr dw_version();
        [DllImport(Library)] public static extern uint dw_abi_version();
        [DllImport(Library)] public static extern IntPtr dw_status_name(int status);
        [DllImport(Library)] public static extern IntPtr dw_status_message(int status);
        [DllImport(Library)] public static extern IntPtr dw_dialect_name(uint dialect);
        [DllImport(Library)] public static extern uint dw_dialect_by_name(byte* name, UIntPtr len);
        [DllImport(Library)] public static extern IntPtr dw_finish_reason_name(uint reason);
        [DllImport(Library)] public static extern IntPtr dw_error_kind_name(uint kind);
        [DllImport(Library)] public static extern IntPtr dw_delta_kind_name(uint kind);

        [DllImport(Library)] public static extern int dw_decoder_new(RawDecoderOptions* options, out DecoderHandle decoder);
        [DllImport(Library)] public static extern void dw_decoder_free(IntPtr decoder);
        // By number: what a SafeHandle costs is much beside a call that an event needs. The caller keeps it alive.
        [DllImport(Library)] public static extern int dw_decoder_next_batch(
            IntPtr decoder, RawInput* input, RawDelta* deltas, UIntPtr capacity, UIntPtr* count);
        [DllImport(Library)] public static extern int dw_decoder_finish(DecoderHandle decoder, RawDelta* delta);
        [DllImport(Library)] public static extern int dw_decoder_reset(DecoderHandle decoder);
        [DllImport(Library)] public static extern uint dw_decoder_end(DecoderHandle decoder);
        [DllImport(Library)] public static extern uint dw_decoder_dialect(DecoderHandle decoder);
        [DllImport(Library)] public static extern ulong dw_decoder_offset(DecoderHandle decoder);
        [DllImport(Library)] public static extern ulong dw_decoder_events(DecoderHandle decoder);
        [DllImport(Library)] public static extern int dw_decoder_seen(DecoderHandle decoder, Slice* seen);
        [DllImport(Library)] public static extern int dw_decoder_error(DecoderHandle decoder, RawError* error);

        [DllImport(Library)] public static extern int dw_message_new(out MessageHandle message);
        [DllImport(Library)] public static extern void dw_message_free(IntPtr message);
        [DllImport(Library)] public static extern int dw_message_push(MessageHandle message, RawDelta* delta);
        [DllImport(Library)] public static extern int dw_message_finish(MessageHandle message, uint end);
        [DllImport(Library)] public static extern int dw_message_read(
            MessageHandle message, byte* body, UIntPtr len, RawError* error);
        [DllImport(Library)] public static extern int dw_message_get(MessageHandle message, RawMessageInfo* info);
        [DllImport(Library)] public static extern int dw_message_choice(MessageHandle message, UIntPtr at, RawChoice* choice);
        [DllImport(Library)] public static extern int dw_message_tool_call(
            MessageHandle message, UIntPtr at, RawToolCall* call);
        [DllImport(Library)] public static extern int dw_message_server_tool_call(
            MessageHandle message, UIntPtr at, RawToolCall* call);

        [DllImport(Library)] public static extern int dw_client_new(
            RawClientOptions* options, out ClientHandle client, byte* why, UIntPtr size);
        [DllImport(Library)] public static extern void dw_client_free(IntPtr client);
        [DllImport(Library)] public static extern int dw_client_stream(
            ClientHandle client, RawRequest* request, out StreamHandle stream);
        [DllImport(Library)] public static extern void dw_stream_free(IntPtr stream);
        [DllImport(Library)] public static extern int dw_stream_next(StreamHandle stream, RawDelta* delta);
        [DllImport(Library)] public static extern int dw_stream_fetch(StreamHandle stream, MessageHandle message);
        [DllImport(Library)] public static extern void dw_stream_cancel(StreamHandle stream);
        [DllImport(Library)] public static extern uint dw_stream_end(StreamHandle stream);
        [DllImport(Library)] public static extern int dw_stream_failure(StreamHandle stream, RawFailure* failure);
    }
}
