package deltawire

// #include <deltawire.h>
import "C"

import (
	"context"
	"iter"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// Provider says whose conventions a request follows.
type Provider uint32

const (
	// OpenAI, or any server that speaks its API below a base URL of its own.
	OpenAI Provider = C.DW_PROVIDER_OPENAI
	// OpenAI's models on Azure; the base URL is the resource's endpoint.
	Azure     Provider = C.DW_PROVIDER_AZURE
	Anthropic Provider = C.DW_PROVIDER_ANTHROPIC
	Gemini    Provider = C.DW_PROVIDER_GEMINI
	// Ollama's own API, as it runs on this machine.
	Ollama Provider = C.DW_PROVIDER_OLLAMA
)

// Unlimited is a timeout that never comes.
const Unlimited time.Duration = -1

// NoRetries is a number of attempts besides the first.
const NoRetries = -1

// ClientOptions say whom to ask. Zeros are the defaults: OpenAI, its own address, no key.
type ClientOptions struct {
	Provider Provider
	// What precedes every path, such as "https://api.openai.com/v1"; empty for the provider's own.
	BaseURL string
	// Key and header values are shown in no error.
	Key, APIVersion string
	// A proxy, "http://", "socks4://" or "socks5://"; "direct" for none; empty for what the
	// environment says.
	Proxy string
	// A file of certificates in PEM that are trusted in place of Mozilla's.
	CAFile  string
	Headers map[string]string
	// How long to wait for a connection (10 s), for the first byte of the body (600 s), for the next
	// bytes (300 s) and for more than comments and pings (for ever); 0 for these, or Unlimited.
	TimeoutConnect, TimeoutFirstByte, TimeoutIdle, TimeoutContent time.Duration
	// How many attempts besides the first; 0 for 2, or NoRetries. Only a request of which nothing can
	// have begun is sent again.
	Retries int
	// The largest whole response that is accepted, in bytes; 0 for 16 MiB.
	MaxResponseBytes int
	// How responses are decoded.
	Decoder Options
}

// Turn is one message of a conversation. Role is "system", "user", "assistant".
type Turn struct{ Role, Content string }

// Request is what is asked: a conversation, or JSON that the caller wrote.
type Request struct {
	Model string
	Turns []Turn
	// The most tokens that a choice may have, and how many choices; 0 leaves it to the provider.
	MaxTokens, N uint32
	// How much chance there is in the reply; nil leaves it to the provider.
	Temperature *float64
	// Asks for token counts, which some providers send only then.
	IncludeUsage bool
	// In place of all that: where to post to, a path below the base URL such as "/chat/completions", or
	// a whole URL; and what: the body, which asks for a stream itself.
	Path, JSON string
}

// Client asks one provider, and keeps its connections for the next request. Goroutines may share one.
type Client struct {
	handle  *C.dw_client
	cleanup runtime.Cleanup
	// Held for reading by whoever uses the handle, for writing by Close.
	use sync.RWMutex
}

// NewClient makes a client. It asks nobody yet. Options with which nothing can be asked, such as a base
// URL that is none, are a *TransportError.
func NewClient(options ClientOptions) (*Client, error) {
	if incompatible != nil {
		return nil, incompatible
	}
	var memory cMemory
	defer memory.free()
	var decoder = (*C.dw_decoder_options)(memory.zeroed(1, C.sizeof_dw_decoder_options))
	*decoder = options.Decoder.c(&memory)
	from := C.dw_client_options{
		struct_size: C.sizeof_dw_client_options, provider: C.uint32_t(options.Provider),
		base_url: memory.slice(options.BaseURL), key: memory.slice(options.Key),
		api_version: memory.slice(options.APIVersion), proxy: memory.slice(options.Proxy),
		ca_file:               memory.slice(options.CAFile),
		timeout_connect_ms:    milliseconds(options.TimeoutConnect),
		timeout_first_byte_ms: milliseconds(options.TimeoutFirstByte),
		timeout_idle_ms:       milliseconds(options.TimeoutIdle),
		timeout_content_ms:    milliseconds(options.TimeoutContent),
		retries:               C.uint32_t(max(options.Retries, 0)),
		max_response_bytes:    C.size_t(options.MaxResponseBytes),
		decoder:               decoder,
	}
	if options.Retries < 0 {
		from.retries = C.DW_NONE
	}
	if len(options.Headers) > 0 {
		room := memory.zeroed(len(options.Headers), C.sizeof_dw_header)
		from.headers, from.headers_len = (*C.dw_header)(room), C.size_t(len(options.Headers))
		headers := unsafe.Slice((*C.dw_header)(room), len(options.Headers))
		at := 0
		for name, value := range options.Headers {
			headers[at] = C.dw_header{name: memory.slice(name), value: memory.slice(value)}
			at++
		}
	}
	const size = 512
	why := (*C.char)(memory.zeroed(size, 1))
	var handle *C.dw_client
	switch status := Status(C.dw_client_new(&from, &handle, why, size)); status {
	case C.DW_OK:
	case ErrRequest:
		return nil, &TransportError{Status: status, Message: C.GoString(why)}
	default:
		return nil, status
	}
	handles.Add(1)
	c := &Client{handle: handle}
	c.cleanup = runtime.AddCleanup(c, freeClient, handle)
	return c, nil
}

func milliseconds(timeout time.Duration) C.uint64_t {
	if timeout < 0 {
		return C.DW_UNLIMITED
	}
	// What is set is not nothing.
	return C.uint64_t((timeout + time.Millisecond - 1) / time.Millisecond)
}

func freeClient(handle *C.dw_client) {
	C.dw_client_free(handle)
	handles.Add(-1)
}

// Close frees the client. Its streams go on. Other calls return ErrClosed from then on, Close itself nil.
func (c *Client) Close() error {
	c.use.Lock()
	defer c.use.Unlock()
	if c.handle != nil {
		c.cleanup.Stop()
		freeClient(c.handle)
		c.handle = nil
	}
	return nil
}

// Stream is one request and its response. Only one goroutine at a time may range over it; Close may come
// from any.
type Stream struct {
	core    *stream
	cleanup runtime.Cleanup
}

// stream is apart from Stream since the context refers to it for as long as it lives, and a Stream that is
// dropped must be found all the same.
type stream struct {
	ctx  context.Context
	stop func() bool
	// Held by whoever is in a call that may wait.
	turn sync.Mutex
	// Held by whoever needs that nobody frees the handle: cancelling does not wait for a turn.
	alive  sync.Mutex
	handle *C.dw_stream
	end    End
}

// Stream makes a stream of a request, which is sent when a loop over [Stream.Deltas] begins. When ctx is
// done the stream ends at once, in whatever it waits for. Close it.
func (c *Client) Stream(ctx context.Context, request Request) (*Stream, error) {
	c.use.RLock()
	defer c.use.RUnlock()
	if c.handle == nil {
		return nil, ErrClosed
	}
	var memory cMemory
	defer memory.free()
	from := C.dw_request{
		struct_size: C.sizeof_dw_request, model: memory.slice(request.Model),
		max_tokens: C.uint32_t(request.MaxTokens), n: C.uint32_t(request.N),
		path: memory.slice(request.Path), json: memory.slice(request.JSON),
	}
	if request.IncludeUsage {
		from.flags |= C.DW_REQUEST_INCLUDE_USAGE
	}
	if request.Temperature != nil {
		from.flags |= C.DW_REQUEST_TEMPERATURE
		from.temperature = C.double(*request.Temperature)
	}
	if len(request.Turns) > 0 {
		room := memory.zeroed(len(request.Turns), C.sizeof_dw_turn)
		from.turns, from.turns_len = (*C.dw_turn)(room), C.size_t(len(request.Turns))
		turns := unsafe.Slice((*C.dw_turn)(room), len(request.Turns))
		for at, turn := range request.Turns {
			turns[at] = C.dw_turn{role: memory.slice(turn.Role), content: memory.slice(turn.Content)}
		}
	}
	core := &stream{ctx: ctx}
	if status := C.dw_client_stream(c.handle, &from, &core.handle); status != C.DW_OK {
		return nil, Status(status)
	}
	handles.Add(1)
	core.stop = context.AfterFunc(ctx, core.cancel)
	s := &Stream{core: core}
	s.cleanup = runtime.AddCleanup(s, (*stream).free, core)
	return s, nil
}

func (s *stream) cancel() {
	s.alive.Lock()
	defer s.alive.Unlock()
	C.dw_stream_cancel(s.handle) // NULL does nothing
}

func (s *stream) free() {
	s.stop()
	s.cancel()
	s.turn.Lock()
	defer s.turn.Unlock()
	s.alive.Lock()
	defer s.alive.Unlock()
	if s.handle != nil {
		s.end = End(C.dw_stream_end(s.handle))
		C.dw_stream_free(s.handle)
		s.handle = nil
		handles.Add(-1)
	}
}

// Close ends the stream, also while another goroutine waits on it, and frees it. Loops get ErrClosed from
// then on, Close itself returns nil.
func (s *Stream) Close() error {
	s.cleanup.Stop()
	s.core.free()
	return nil
}

// Deltas gives the deltas of the response as they come. The first call sends the request.
//
// An *EventError is one event's: the loop may go on. A *TransportError says why no response came or why
// it broke off; where the context ended it, errors.Is finds the context's cause in it. That of a
// response which ended before its time is an *IncompleteError. Nothing comes after these two.
func (s *Stream) Deltas() iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {
		defer runtime.KeepAlive(s)
		var failed error
		for {
			delta, status, err := s.core.next()
			switch {
			case status == C.DW_DELTA || status.isOfEvent():
				if !yield(delta, err) {
					return
				}
			case status <= ErrRequest:
				// What came before the failure still comes.
				failed = err
			case err != nil:
				yield(Delta{}, err)
				return
			default:
				if end := s.End(); failed == nil && end != Complete {
					failed = &IncompleteError{End: end}
				}
				if failed != nil {
					yield(Delta{}, failed)
				}
				return
			}
		}
	}
}

func (s *stream) next() (Delta, Status, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.handle == nil {
		return Delta{}, C.DW_OK, ErrClosed
	}
	var delta C.dw_delta
	status := Status(C.dw_stream_next(s.handle, &delta))
	switch status {
	case C.DW_DELTA:
		return newDelta(&delta), status, nil
	case C.DW_OK:
		return Delta{}, status, nil
	}
	return Delta{}, status, s.failure(status)
}

// failure says what failed. Whoever calls has the turn.
func (s *stream) failure(status Status) error {
	var from C.dw_failure
	if status == ErrArgument || C.dw_stream_failure(s.handle, &from) != C.DW_OK || from.status != C.int32_t(status) {
		return status
	}
	if status.isOfEvent() {
		return &EventError{Status: status, Offset: uint64(from.offset), Message: text(from.message)}
	}
	failure := &TransportError{
		Status: status, HTTPStatus: int(from.http_status), Kind: ErrorKind(from.error_kind),
		Transient:  from.transient != 0,
		RetryAfter: time.Duration(from.retry_after_ms) * time.Millisecond,
		Message:    text(from.message), Code: text(from.code), Said: text(from.said),
		RequestID: text(from.request_id), Body: text(from.body),
	}
	if status == ErrCancelled {
		failure.cause = context.Cause(s.ctx)
	}
	return failure
}

// End says how the stream ended, or would have if it ended here.
func (s *Stream) End() End {
	s.core.turn.Lock()
	defer s.core.turn.Unlock()
	if s.core.handle == nil {
		return s.core.end
	}
	return End(C.dw_stream_end(s.core.handle))
}

// Fetch sends a request that does not ask for a stream, waits for the whole response and gives it. The
// errors are those of [Stream.Deltas].
func (c *Client) Fetch(ctx context.Context, request Request) (*Reply, error) {
	stream, err := c.Stream(ctx, request)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	message, err := NewMessage()
	if err != nil {
		return nil, err
	}
	defer message.Close()
	if err := stream.core.fetch(message); err != nil {
		return nil, err
	}
	return message.Reply()
}

func (s *stream) fetch(message *Message) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	status := Status(C.dw_stream_fetch(s.handle, message.handle))
	if status == C.DW_OK {
		return nil
	}
	return s.failure(status)
}
