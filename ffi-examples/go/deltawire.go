// Package deltawire reads streaming responses of language models: the bytes of an HTTP body in, deltas
// out, alike for all providers.
//
//	for delta, err := range deltawire.Read(ctx, response.Body) {
//		if err != nil {
//			return err // or go on: an *EventError is one event's, not the stream's
//		}
//		if delta.Kind == deltawire.KindText {
//			fmt.Print(delta.Text)
//		}
//	}
//
// [Decoder] takes chunks, [Message] puts deltas together, [Client] asks a provider over the library's own
// transport. Strings that are handed out are Go's own and stay right for ever.
//
// A Decoder and a Message are for one goroutine at a time. Close frees what they hold in C's memory; what
// is dropped without Close is freed after a garbage collection, some time.
package deltawire

/*
#cgo pkg-config: deltawire
#cgo noescape dwgo_feed
#cgo nocallback dwgo_feed
#cgo noescape dwgo_commit
#cgo nocallback dwgo_commit
#cgo noescape dwgo_next
#cgo nocallback dwgo_next
#include <deltawire.h>
#include <stdlib.h>
#include <string.h>

// What a Decoder holds, all of it in C's memory: Go's rules forbid C to keep Go pointers, and to cross
// costs as much as to decode a short event. So each function below does in one crossing what a chunk
// needs, and what comes of it lies here for Go to read.
typedef struct dwgo_decoder {
	dw_decoder *decoder;
	uint8_t *window; // lent by the last call that returned DW_OK, else NULL
	size_t window_len;
	size_t count; // how many of `deltas` the last call wrote
	size_t capacity;
	dw_error error;
	dw_delta *deltas; // behind this struct
} dwgo_decoder;

static dw_status dwgo_new(const dw_decoder_options *options, size_t capacity, dwgo_decoder **made) {
	dwgo_decoder *self = calloc(1, sizeof *self + capacity * sizeof(dw_delta));
	if (self == NULL)
		return DW_ERR_OUT_OF_MEMORY;
	self->capacity = capacity;
	self->deltas = (dw_delta *)(self + 1);
	dw_status status = dw_decoder_new(options, &self->decoder);
	if (status != DW_OK)
		free(self);
	else
		*made = self;
	return status;
}

static void dwgo_free(dwgo_decoder *self) {
	dw_decoder_free(self->decoder);
	free(self);
}

// The next deltas of what was committed. Where there are none, the window for the next chunk.
static int32_t dwgo_next(dwgo_decoder *self) {
	self->count = 0;
	self->window = NULL;
	int32_t status = dw_decoder_next_batch(self->decoder, NULL, self->deltas, self->capacity, &self->count);
	if (status == DW_OK)
		status = dw_decoder_window(self->decoder, 0, &self->window, &self->window_len);
	else if (DW_IS_EVENT_ERROR(status) && dw_decoder_error(self->decoder, &self->error) != DW_OK)
		memset(&self->error, 0, sizeof self->error);
	return status;
}

// Takes over what Go wrote to the window.
static int32_t dwgo_commit(dwgo_decoder *self, size_t len) {
	int32_t status = dw_decoder_commit(self->decoder, len);
	return status == DW_OK ? dwgo_next(self) : status;
}

// Adds a chunk behind what is not used yet.
static int32_t dwgo_add(dwgo_decoder *self, const uint8_t *bytes, size_t len) {
	uint8_t *window;
	size_t room;
	self->count = 0;
	self->window = NULL;
	int32_t status = dw_decoder_window(self->decoder, len, &window, &room);
	if (status != DW_OK)
		return status;
	memcpy(window, bytes, len);
	return dw_decoder_commit(self->decoder, len);
}

static int32_t dwgo_feed(dwgo_decoder *self, const uint8_t *bytes, size_t len) {
	int32_t status = dwgo_add(self, bytes, len);
	return status == DW_OK ? dwgo_next(self) : status;
}

static int32_t dwgo_finish(dwgo_decoder *self) {
	self->window = NULL;
	int32_t status = dw_decoder_finish(self->decoder, self->deltas);
	self->count = status == DW_DELTA;
	if (DW_IS_EVENT_ERROR(status) && dw_decoder_error(self->decoder, &self->error) != DW_OK)
		memset(&self->error, 0, sizeof self->error);
	return status;
}
*/
import "C"

import (
	"context"
	"fmt"
	"io"
	"iter"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// How many deltas are fetched in one crossing into C, unless Options say otherwise: more than a read off
// a network usually has.
const batch = 64

// Options say how a response is decoded. Zeros are the defaults.
type Options struct {
	// Whose response it is; Auto recognises it by its first events.
	Dialect Dialect
	// The largest event that is accepted, in bytes; 0 stands for 16 MiB. A larger one is an
	// *EventError, and the stream goes on behind it.
	MaxEventBytes int
	// Members of an OpenAI chat delta that carry text and reasoning besides those that are known, for
	// a sender that invented one.
	TextField, ReasoningField string
	// An event whose blank line is missing at the end is dropped, as the standard demands, and not
	// delivered where its payload is whole.
	DiscardUnfinished bool
	// How many deltas are fetched in one crossing into C; 0 stands for 64. A delta takes 224 bytes.
	Batch int
}

// Decoder reads one response. Bring its bytes, cut wherever they may be, to [Decoder.Feed] or
// [Decoder.Write], and at the end of the body range over [Decoder.Finish]; or leave all of it to
// [Decoder.Read].
type Decoder struct {
	handle  *C.dwgo_decoder
	cleanup runtime.Cleanup
	// How many deltas of the handle's were handed out.
	taken int
	// Deltas that had to leave C's memory before they were handed out.
	kept []Delta
}

// How many handles are in C's memory, for the tests.
var handles atomic.Int64

// NewDecoder makes a decoder with the defaults.
func NewDecoder() (*Decoder, error) {
	return Options{}.NewDecoder()
}

// NewDecoder makes a decoder with these options.
func (o Options) NewDecoder() (*Decoder, error) {
	if incompatible != nil {
		return nil, incompatible
	}
	if o.MaxEventBytes < 0 || o.Batch < 0 {
		return nil, ErrArgument
	}
	var memory cMemory
	defer memory.free()
	options := o.c(&memory)
	capacity := o.Batch
	if capacity == 0 {
		capacity = batch
	}
	var handle *C.dwgo_decoder
	if status := C.dwgo_new(&options, C.size_t(capacity), &handle); status != C.DW_OK {
		return nil, Status(status)
	}
	handles.Add(1)
	d := &Decoder{handle: handle}
	d.cleanup = runtime.AddCleanup(d, freeDecoder, handle)
	return d, nil
}

func (o Options) c(memory *cMemory) C.dw_decoder_options {
	options := C.dw_decoder_options{
		struct_size:     C.sizeof_dw_decoder_options,
		dialect:         C.uint32_t(o.Dialect),
		max_event_bytes: C.size_t(o.MaxEventBytes),
		text_field:      memory.slice(o.TextField),
		reasoning_field: memory.slice(o.ReasoningField),
	}
	if o.DiscardUnfinished {
		options.eof = C.DW_EOF_DISCARD
	}
	return options
}

func freeDecoder(handle *C.dwgo_decoder) {
	C.dwgo_free(handle)
	handles.Add(-1)
}

// Close frees the decoder. Other calls return ErrClosed from then on, Close itself nil.
func (d *Decoder) Close() error {
	if d.handle != nil {
		d.cleanup.Stop()
		freeDecoder(d.handle)
		d.handle, d.kept = nil, nil
	}
	return nil
}

// Write takes a chunk of the body, and copies it. Range over [Decoder.Deltas] for what it says. It is what
// io.Copy, io.TeeReader and io.MultiWriter want; [Decoder.Feed] is faster.
func (d *Decoder) Write(chunk []byte) (int, error) {
	defer runtime.KeepAlive(d)
	if d.handle == nil {
		return 0, ErrClosed
	}
	if len(chunk) == 0 {
		return 0, nil
	}
	for d.taken < int(d.handle.count) {
		d.kept = append(d.kept, d.take())
	}
	d.taken = 0
	if status := C.dwgo_add(d.handle, (*C.uint8_t)(&chunk[0]), C.size_t(len(chunk))); status != C.DW_OK {
		return 0, Status(status)
	}
	return len(chunk), nil
}

// Deltas gives the deltas of what was written. A loop that is left early leaves the rest for the next one.
//
// An *EventError is one event's: the loop may go on. After any other error there is nothing more.
func (d *Decoder) Deltas() iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {
		d.drain(yield, d.next)
	}
}

// Feed takes a chunk of the body, copies it, and gives its deltas, as Write and Deltas together. The
// chunk is taken when the loop begins.
func (d *Decoder) Feed(chunk []byte) iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {
		if len(chunk) > 0 && (d.handle == nil || d.taken < int(d.handle.count)) {
			if _, err := d.Write(chunk); err != nil {
				yield(Delta{}, err)
				return
			}
			chunk = nil
		}
		d.drain(yield, func() C.int32_t {
			if len(chunk) == 0 {
				return d.next()
			}
			given := chunk
			chunk = nil
			return C.dwgo_feed(d.handle, (*C.uint8_t)(&given[0]), C.size_t(len(given)))
		})
	}
}

// Finish ends the stream and gives the deltas that only its end can show. Then [Decoder.End] says how it
// ended. Call Reset before the next stream.
func (d *Decoder) Finish() iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {
		if d.drain(yield, d.next) {
			d.drain(yield, d.finish)
		}
	}
}

// Read gives the deltas of a whole body, which is read straight into the decoder's memory. A body that
// ends before its time is an *IncompleteError, the last thing the loop gets; so is a failure of the
// body's own. When ctx is done before the end, the loop ends with its cause, and a body that has a Close
// method is closed, so that nothing waits on it. Reset is called first.
func (d *Decoder) Read(ctx context.Context, body io.Reader) iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {
		if err := d.Reset(); err != nil {
			yield(Delta{}, err)
			return
		}
		if closer, ok := body.(io.Closer); ok {
			stop := context.AfterFunc(ctx, func() { closer.Close() })
			defer stop()
		}
		// Whoever leaves the loop early and comes back with Deltas finds what he has left.
		for isMore := d.drain(yield, d.next); isMore; {
			if ctx.Err() != nil {
				yield(Delta{}, context.Cause(ctx))
				return
			}
			n, err := body.Read(unsafe.Slice((*byte)(d.handle.window), int(d.handle.window_len)))
			if n > 0 {
				isMore = d.drain(yield, func() C.int32_t {
					if n == 0 {
						return d.next()
					}
					len := C.size_t(n)
					n = 0
					return C.dwgo_commit(d.handle, len)
				})
			}
			switch {
			case err == nil || !isMore:
			case ctx.Err() != nil:
				yield(Delta{}, context.Cause(ctx))
				return
			case err != io.EOF:
				yield(Delta{}, fmt.Errorf("deltawire: reading the body: %w", err))
				return
			default:
				if isMore = d.drain(yield, d.finish); isMore && d.End() != Complete {
					yield(Delta{}, &IncompleteError{d.End(), d.Offset(), d.Seen()})
				}
				return
			}
		}
	}
}

func (d *Decoder) next() C.int32_t   { return C.dwgo_next(d.handle) }
func (d *Decoder) finish() C.int32_t { return C.dwgo_finish(d.handle) }

// Read gives the deltas of a whole body, with a decoder of its own: see [Decoder.Read].
func Read(ctx context.Context, body io.Reader) iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {
		decoder, err := NewDecoder()
		if err != nil {
			yield(Delta{}, err)
			return
		}
		defer decoder.Close()
		decoder.Read(ctx, body)(yield)
	}
}

// drain hands out what there is already, then calls step and hands out what that gives, until there is
// nothing more. Says whether the loop wants to go on.
func (d *Decoder) drain(yield func(Delta, error) bool, step func() C.int32_t) bool {
	defer runtime.KeepAlive(d)
	for {
		for len(d.kept) > 0 {
			delta := d.kept[0]
			d.kept = d.kept[1:]
			if !yield(delta, nil) {
				return false
			}
		}
		if d.handle == nil {
			yield(Delta{}, ErrClosed)
			return false
		}
		if d.taken < int(d.handle.count) {
			if !yield(d.take(), nil) {
				return false
			}
			continue
		}
		d.taken = 0
		switch status := Status(step()); {
		case status == C.DW_DELTA:
		case status == C.DW_OK:
			return true
		case status.isOfEvent():
			failure := &d.handle.error
			err := &EventError{status, uint64(failure.offset), uint64(failure.at), text(failure.message)}
			if !yield(Delta{}, err) {
				return false
			}
		default:
			yield(Delta{}, status)
			return false
		}
	}
}

// take copies the next delta out of C's memory. There has to be one.
func (d *Decoder) take() Delta {
	deltas := unsafe.Slice(d.handle.deltas, int(d.handle.count))
	delta := newDelta(&deltas[d.taken])
	d.taken++
	return delta
}

// Reset forgets the stream and begins another one. Options and memory are kept.
func (d *Decoder) Reset() error {
	defer runtime.KeepAlive(d)
	if d.handle == nil {
		return ErrClosed
	}
	d.handle.count, d.handle.window, d.taken, d.kept = 0, nil, 0, nil
	return Status(C.dw_decoder_reset(d.handle.decoder)).orNil()
}

// End says how the stream ended, or would have if it ended here.
func (d *Decoder) End() End {
	defer runtime.KeepAlive(d)
	if d.handle == nil {
		return Unknown
	}
	return End(C.dw_decoder_end(d.handle.decoder))
}

// Dialect says whose response it is; Auto as long as it is not known.
func (d *Decoder) Dialect() Dialect {
	defer runtime.KeepAlive(d)
	if d.handle == nil {
		return Auto
	}
	return Dialect(C.dw_decoder_dialect(d.handle.decoder))
}

// Offset says how many bytes of the stream were used, those of an unfinished event among them.
func (d *Decoder) Offset() uint64 {
	defer runtime.KeepAlive(d)
	if d.handle == nil {
		return 0
	}
	return uint64(C.dw_decoder_offset(d.handle.decoder))
}

// Events says how many events were dispatched, those whose payload is not JSON among them.
func (d *Decoder) Events() uint64 {
	defer runtime.KeepAlive(d)
	if d.handle == nil {
		return 0
	}
	return uint64(C.dw_decoder_events(d.handle.decoder))
}

// Seen has the lines that are no part of an event stream, up to 64 KiB of them: what a server sent in
// place of a stream, such as a web page.
func (d *Decoder) Seen() []byte {
	defer runtime.KeepAlive(d)
	var seen C.dw_slice
	if d.handle == nil || C.dw_decoder_seen(d.handle.decoder, &seen) != C.DW_OK {
		return nil
	}
	return []byte(text(seen))
}
