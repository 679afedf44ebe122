// A reply put together: from the deltas of a stream, or from a whole response that was not streamed.
using System;
using System.Collections.Generic;

namespace Deltawire
{
    /// <summary>One of the replies to a prompt.</summary>
    public sealed class Choice
    {
        /// <summary>Its index on the wire, from 0.</summary>
        public int Index { get; internal set; }
        /// <summary>The reply.</summary>
        public string Text { get; internal set; }
        /// <summary>The model's reasoning or its summary.</summary>
        public string Reasoning { get; internal set; }
        /// <summary>The model's refusal.</summary>
        public string Refusal { get; internal set; }
        /// <summary>Why it ended.</summary>
        public FinishReason FinishReason { get; internal set; }
        /// <summary>The same in the provider's words.</summary>
        public string FinishRaw { get; internal set; }
    }

    /// <summary>A call of a tool.</summary>
    public sealed class ToolCall
    {
        /// <summary>The choice it belongs to.</summary>
        public int Choice { get; internal set; }
        /// <summary>Its index on the wire, else a running count.</summary>
        public int Index { get; internal set; }
        /// <summary>The provider's name for the call, which its result has to carry.</summary>
        public string Id { get; internal set; }
        /// <summary>The tool's name.</summary>
        public string Name { get; internal set; }
        /// <summary>The arguments: JSON text, if the model wrote it right.</summary>
        public string Arguments { get; internal set; }
    }

    /// <summary>What is known of a reply as a whole; a copy, which later deltas do not change.</summary>
    public sealed class MessageInfo
    {
        /// <summary>The provider's name for the response, or null.</summary>
        public string Id { get; internal set; }
        /// <summary>The model that answered, or null.</summary>
        public string Model { get; internal set; }
        /// <summary>Whose message it is: "assistant"; or null.</summary>
        public string Role { get; internal set; }
        /// <summary>Token counts: of each the last that came.</summary>
        public Usage Usage { get; internal set; }
        /// <summary>The choices, in the order of their indexes.</summary>
        public IReadOnlyList<Choice> Choices { get; internal set; }
        /// <summary>The tool calls of all choices, in the order in which they began.</summary>
        public IReadOnlyList<ToolCall> ToolCalls { get; internal set; }
        /// <summary>The same of tools that the provider ran.</summary>
        public IReadOnlyList<ToolCall> ServerToolCalls { get; internal set; }
        /// <summary>How the stream ended; unknown until <see cref="Message.Finish"/>.</summary>
        public End End { get; internal set; }
        /// <summary>The stream came to its end and reported no error.</summary>
        public bool IsComplete { get; internal set; }
        /// <summary>The kind of the first error that the provider reported.</summary>
        public ErrorKind ErrorKind { get; internal set; }
        /// <summary>Its code, else its type; or null.</summary>
        public string ErrorCode { get; internal set; }
        /// <summary>Its message, or null.</summary>
        public string ErrorMessage { get; internal set; }
        /// <summary>The same request may succeed later.</summary>
        public bool IsErrorTransient { get; internal set; }
    }

    /// <summary>Puts a reply together. One thread may use it at a time.</summary>
    public sealed unsafe class Message : IDisposable
    {
        internal readonly MessageHandle Handle;

        /// <summary>Makes a message of which nothing has come.</summary>
        public Message()
        {
            DeltawireException.Check(Native.dw_message_new(out Handle));
        }

        /// <summary>
        /// Takes in a delta, a decoder's, a stream's or one of the caller's. One that is
        /// <see cref="DeltaKind.EventError"/> says nothing and is passed over.
        /// </summary>
        public void Push(Delta delta)
        {
            if (delta == null)
                throw new ArgumentNullException("delta");
            if (delta.Kind == DeltaKind.EventError)
                return;
            using (var lent = new Lent())
            {
                RawDelta raw = delta.ToRaw(lent);
                DeltawireException.Check(Native.dw_message_push(Handle, &raw));
            }
        }

        /// <summary>Notes how the stream ended.</summary>
        public void Finish(End end)
        {
            DeltawireException.Check(Native.dw_message_finish(Handle, (uint)end));
        }

        /// <summary>Reads a whole response that was not streamed, in place of what there was.</summary>
        /// <param name="body">JSON.</param>
        /// <exception cref="DeltawireException">It is no JSON, or that of no known provider.</exception>
        public void Read(byte[] body)
        {
            if (body == null)
                throw new ArgumentNullException("body");
            fixed (byte* bytes = body)
            {
                // Not NULL for an empty body, since that is no argument.
                byte nothing;
                RawError error;
                int status = Native.dw_message_read(
                    Handle, bytes == null ? &nothing : bytes, (UIntPtr)(uint)body.Length, &error);
                if (status == Native.ErrNotJson || status == Native.ErrNotAResponse)
                    throw new DeltawireException(status, error.Message.ToString());
                DeltawireException.Check(status);
            }
        }

        /// <summary>What is known so far.</summary>
        public MessageInfo Get()
        {
            RawMessageInfo raw;
            DeltawireException.Check(Native.dw_message_get(Handle, &raw));
            var info = new MessageInfo
            {
                Id = raw.Id.Some(),
                Model = raw.Model.Some(),
                Role = raw.Role.Some(),
                Usage = Usage.Of(ref raw.Usage),
                End = (End)raw.End,
                IsComplete = raw.IsComplete == 1,
                ErrorKind = (ErrorKind)raw.ErrorKind,
                ErrorCode = raw.ErrorCode.Some(),
                ErrorMessage = raw.ErrorMessage.Some(),
                IsErrorTransient = raw.ErrorTransient == 1,
            };
            var choices = new Choice[(int)raw.Choices];
            for (int at = 0; at < choices.Length; at++)
            {
                RawChoice choice;
                DeltawireException.Check(Native.dw_message_choice(Handle, (UIntPtr)(uint)at, &choice));
                choices[at] = new Choice
                {
                    Index = (int)choice.Index,
                    Text = choice.Text.ToString(),
                    Reasoning = choice.Reasoning.ToString(),
                    Refusal = choice.Refusal.ToString(),
                    FinishReason = (FinishReason)choice.FinishReason,
                    FinishRaw = choice.FinishRaw.Some(),
                };
            }
            info.Choices = choices;
            info.ToolCalls = Calls((int)raw.ToolCalls, false);
            info.ServerToolCalls = Calls((int)raw.ServerToolCalls, true);
            GC.KeepAlive(this);
            return info;
        }

        private ToolCall[] Calls(int count, bool isServer)
        {
            var calls = new ToolCall[count];
            for (int at = 0; at < count; at++)
            {
                RawToolCall call;
                DeltawireException.Check(isServer
                    ? Native.dw_message_server_tool_call(Handle, (UIntPtr)(uint)at, &call)
                    : Native.dw_message_tool_call(Handle, (UIntPtr)(uint)at, &call));
                calls[at] = new ToolCall
                {
                    Choice = (int)call.Choice,
                    Index = call.Index,
                    Id = call.Id.ToString(),
                    Name = call.Name.ToString(),
                    Arguments = call.Arguments.ToString(),
                };
            }
            return calls;
        }

        /// <summary>Frees the message; a second time does nothing.</summary>
        public void Dispose()
        {
            Handle.Dispose();
        }
    }
}
