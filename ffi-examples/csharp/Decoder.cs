// From the bytes of one response to its deltas.
using System;
using System.Collections;
using System.Collections.Generic;

namespace Deltawire
{
    /// <summary>What a decoder is told before it begins.</summary>
    public sealed class DecoderOptions
    {
        /// <summary>Whose response it is.</summary>
        public Dialect Dialect { get; set; }
        /// <summary>The largest event that is accepted, in bytes; 0 stands for 16 MiB.</summary>
        public int MaxEventBytes { get; set; }
        /// <summary>A member of an OpenAI chat delta that carries text besides those that are known.</summary>
        public string TextField { get; set; }
        /// <summary>The same for reasoning.</summary>
        public string ReasoningField { get; set; }
        /// <summary>How many deltas one call into the library fetches; 0 stands for 64.</summary>
        public int Batch { get; set; }

        internal unsafe RawDecoderOptions ToRaw(Lent lent)
        {
            if (MaxEventBytes < 0)
                throw new ArgumentOutOfRangeException("MaxEventBytes");
            return new RawDecoderOptions
            {
                StructSize = (uint)sizeof(RawDecoderOptions),
                Dialect = (uint)Dialect,
                MaxEventBytes = (UIntPtr)(uint)MaxEventBytes,
                TextField = lent.Text(TextField),
                ReasoningField = lent.Text(ReasoningField),
            };
        }
    }

    /// <summary>
    /// Reads one response: bring its bytes with <see cref="Read(byte[])"/>, cut wherever they may be, and call
    /// <see cref="Finish"/> at their end. One thread may use it at a time.
    /// </summary>
    public sealed unsafe class DeltaDecoder : IDisposable
    {
        private readonly DecoderHandle handle;
        private readonly RawDelta[] batch;
        private readonly Delta[] ready;
        private byte[] chunk;
        private int position, end, at, count;
        private bool isFinishing;

        /// <summary>Makes a decoder.</summary>
        /// <exception cref="ArgumentException">An option is out of range.</exception>
        public DeltaDecoder(DecoderOptions options = null)
        {
            options = options ?? new DecoderOptions();
            if (options.Batch < 0)
                throw new ArgumentOutOfRangeException("Batch");
            using (var lent = new Lent())
            {
                RawDecoderOptions raw = options.ToRaw(lent);
                int status = Native.dw_decoder_new(&raw, out handle);
                if (status == Native.ErrArgument)
                    throw new ArgumentException("the decoder's options are refused", "options");
                DeltawireException.Check(status);
            }
            batch = new RawDelta[options.Batch == 0 ? 64 : options.Batch];
            ready = new Delta[batch.Length];
        }

        /// <summary>The deltas of the next bytes of the response, read as they are asked for.</summary>
        /// <exception cref="InvalidOperationException">The deltas of the bytes before are not all read.</exception>
        public Deltas Feed(byte[] bytes)
        {
            return Feed(bytes, 0, bytes == null ? 0 : bytes.Length);
        }

        /// <summary>
        /// The deltas of the next bytes of the response: <paramref name="length"/> of <paramref name="bytes"/>
        /// from <paramref name="offset"/> on. They must not change before the deltas are read.
        /// </summary>
        /// <exception cref="InvalidOperationException">The deltas of the bytes before are not all read.</exception>
        public Deltas Feed(byte[] bytes, int offset, int length)
        {
            if (bytes == null)
                throw new ArgumentNullException("bytes");
            if (offset < 0 || length < 0 || offset > bytes.Length - length)
                throw new ArgumentOutOfRangeException("length");
            Begin();
            chunk = bytes;
            position = offset;
            end = offset + length;
            isFinishing = false;
            return new Deltas(this);
        }

        /// <summary>What only the end of the body can show. Behind it <see cref="End"/> is final.</summary>
        /// <exception cref="InvalidOperationException">The deltas of the bytes before are not all read.</exception>
        public Deltas Finish()
        {
            Begin();
            isFinishing = true;
            return new Deltas(this);
        }

        private void Begin()
        {
            Open();
            if (at < count || position < end)
                throw new InvalidOperationException("the deltas of the bytes before are not all read");
        }

        private void Open()
        {
            if (handle.IsClosed)
                throw new ObjectDisposedException("DeltaDecoder");
        }

        internal bool Next(out Delta delta)
        {
            // Also where deltas are ready: a decoder that is closed in the middle of a loop ends it.
            Open();
            if (at < count)
            {
                delta = ready[at++];
                return true;
            }
            at = count = 0;
            int status = isFinishing ? FillAtEnd() : Fill();
            if (status == Native.Delta)
            {
                delta = ready[at++];
                return true;
            }
            delta = null;
            if (!DeltawireException.IsOfEvent(status))
            {
                DeltawireException.Check(status);
                return false;
            }
            delta = new Delta { Kind = DeltaKind.EventError, EventError = EventError(status) };
            return true;
        }

        // All strings of a batch are made while the bytes are pinned: its slices may point into them.
        private int Fill()
        {
            fixed (byte* bytes = chunk)
            fixed (RawDelta* deltas = batch)
            {
                var input = new RawInput { Data = bytes, Len = (UIntPtr)(uint)end, Pos = (UIntPtr)(uint)position };
                UIntPtr found;
                int status = Native.dw_decoder_next_batch(
                    handle.DangerousGetHandle(), &input, deltas, (UIntPtr)(uint)batch.Length, &found);
                position = (int)input.Pos;
                if (status == Native.Delta)
                    for (count = 0; count < (int)found; count++)
                        ready[count] = Delta.Of(deltas + count);
                GC.KeepAlive(handle);
                return status;
            }
        }

        private int FillAtEnd()
        {
            RawDelta raw;
            int status = Native.dw_decoder_finish(handle, &raw);
            if (status == Native.Delta)
            {
                ready[0] = Delta.Of(&raw);
                count = 1;
            }
            return status;
        }

        private DeltawireException EventError(int status)
        {
            RawError error;
            if (Native.dw_decoder_error(handle, &error) != Native.Ok)
                return new DeltawireException(status);
            return new DeltawireException(status, error.Message.ToString()) { Offset = error.Offset };
        }

        /// <summary>How the stream ended, or would have if it ended here.</summary>
        public End End
        {
            get { return (End)Native.dw_decoder_end(handle); }
        }

        /// <summary>Whose response it is; <see cref="Dialect.Auto"/> as long as it is not known.</summary>
        public Dialect Dialect
        {
            get { return (Dialect)Native.dw_decoder_dialect(handle); }
        }

        /// <summary>How many bytes of the stream were used.</summary>
        public ulong Offset
        {
            get { return Native.dw_decoder_offset(handle); }
        }

        /// <summary>How many events there were.</summary>
        public ulong Events
        {
            get { return Native.dw_decoder_events(handle); }
        }

        /// <summary>The lines that are no part of an event stream, up to 64 KiB: a web page in its place.</summary>
        public byte[] Seen()
        {
            Slice seen;
            DeltawireException.Check(Native.dw_decoder_seen(handle, &seen));
            byte[] bytes = seen.ToArray();
            GC.KeepAlive(this);
            return bytes;
        }

        /// <summary>Forgets the stream and begins another one. Options and memory are kept.</summary>
        public void Reset()
        {
            DeltawireException.Check(Native.dw_decoder_reset(handle));
            at = count = position = end = 0;
            chunk = null;
            isFinishing = false;
        }

        /// <summary>Frees the decoder; a second time does nothing.</summary>
        public void Dispose()
        {
            handle.Dispose();
        }
    }

    /// <summary>
    /// Deltas of a decoder. They are read while they are enumerated, each once: a second loop goes on where the
    /// first one was left.
    /// </summary>
    public struct Deltas : IEnumerable<Delta>
    {
        private readonly DeltaDecoder decoder;

        internal Deltas(DeltaDecoder decoder)
        {
            this.decoder = decoder;
        }

        /// <summary>Begins to read.</summary>
        public Enumerator GetEnumerator()
        {
            return new Enumerator(decoder);
        }

        IEnumerator<Delta> IEnumerable<Delta>.GetEnumerator()
        {
            return GetEnumerator();
        }

        IEnumerator IEnumerable.GetEnumerator()
        {
            return GetEnumerator();
        }

        /// <summary>Reads one delta after the other.</summary>
        public struct Enumerator : IEnumerator<Delta>
        {
            private readonly DeltaDecoder decoder;
            private Delta current;

            internal Enumerator(DeltaDecoder decoder)
            {
                this.decoder = decoder;
                current = null;
            }

            /// <summary>The delta that was read last.</summary>
            public Delta Current
            {
                get { return current; }
            }

            object IEnumerator.Current
            {
                get { return current; }
            }

            /// <summary>Reads the next delta; false where the bytes are used up.</summary>
            public bool MoveNext()
            {
                return decoder.Next(out current);
            }

            void IEnumerator.Reset()
            {
                throw new NotSupportedException();
            }

            /// <summary>Does nothing.</summary>
            public void Dispose() { }
        }
    }
}
