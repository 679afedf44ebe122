package deltawire

// #include <deltawire.h>
// #include <stdlib.h>
import "C"

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unsafe"
)

// Kind is what a delta is, and says which of its fields have something.
type Kind uint32

const (
	// The message begins: ID, Model, Role. Comes again where the provider changes one.
	KindStart Kind = C.DW_DELTA_START
	// A piece of the reply: Choice, Text.
	KindText Kind = C.DW_DELTA_TEXT
	// A piece of the model's reasoning or of its summary: Choice, Text.
	KindReasoning Kind = C.DW_DELTA_REASONING
	// A piece of the model's refusal to answer: Choice, Text.
	KindRefusal Kind = C.DW_DELTA_REFUSAL
	// A tool call begins, or one that is known gets the ID or name it lacked, or is returned to:
	// Choice, Index, ID, Name. A new ID at an index in use is a new call.
	KindToolCallStart Kind = C.DW_DELTA_TOOL_CALL_START
	// A piece of a tool call's arguments: Choice, Index, Text. With Whole, Text is all of them, in
	// place of any that came before.
	KindToolCallArguments Kind = C.DW_DELTA_TOOL_CALL_ARGUMENTS
	// As KindToolCallStart, of a tool that the provider runs: nothing is left to do.
	KindServerToolCallStart Kind = C.DW_DELTA_SERVER_TOOL_CALL_START
	// As KindToolCallArguments, of a tool that the provider runs.
	KindServerToolCallArguments Kind = C.DW_DELTA_SERVER_TOOL_CALL_ARGUMENTS
	// A choice is at its end: Choice, FinishReason, and Raw, the provider's word for it.
	KindFinish Kind = C.DW_DELTA_FINISH
	// Token counts so far: Usage. Each number replaces the one before it.
	KindUsage Kind = C.DW_DELTA_USAGE
	// The provider reports an error: ErrorKind, Code, Text, its message, and Raw, the whole payload.
	// With Transient the same request may succeed later.
	KindError Kind = C.DW_DELTA_ERROR
	// What has no place among the others: Name, what it is, and Raw, the whole payload.
	KindOther Kind = C.DW_DELTA_OTHER
	// The provider's own end of the stream. Comes once; more may follow it.
	KindDone Kind = C.DW_DELTA_DONE
)

// FinishReason is why a choice ended.
type FinishReason uint32

const (
	FinishNone          FinishReason = C.DW_FINISH_NONE
	FinishStop          FinishReason = C.DW_FINISH_STOP
	FinishLength        FinishReason = C.DW_FINISH_LENGTH
	FinishToolCalls     FinishReason = C.DW_FINISH_TOOL_CALLS
	FinishContentFilter FinishReason = C.DW_FINISH_CONTENT_FILTER
	FinishError         FinishReason = C.DW_FINISH_ERROR
	FinishOther         FinishReason = C.DW_FINISH_OTHER
)

// ErrorKind is what went wrong at the provider's.
type ErrorKind uint32

const (
	ErrorNone           ErrorKind = C.DW_ERROR_NONE
	ErrorAuthentication ErrorKind = C.DW_ERROR_AUTHENTICATION
	ErrorPermission     ErrorKind = C.DW_ERROR_PERMISSION
	ErrorNotFound       ErrorKind = C.DW_ERROR_NOT_FOUND
	ErrorRateLimit      ErrorKind = C.DW_ERROR_RATE_LIMIT
	ErrorOverloaded     ErrorKind = C.DW_ERROR_OVERLOADED
	ErrorContextLength  ErrorKind = C.DW_ERROR_CONTEXT_LENGTH
	ErrorInvalidRequest ErrorKind = C.DW_ERROR_INVALID_REQUEST
	ErrorContentFilter  ErrorKind = C.DW_ERROR_CONTENT_FILTER
	ErrorTimeout        ErrorKind = C.DW_ERROR_TIMEOUT
	ErrorServer         ErrorKind = C.DW_ERROR_SERVER
	ErrorOther          ErrorKind = C.DW_ERROR_OTHER
)

// End is how a stream ended.
type End uint32

const (
	// Nobody has said yet.
	Unknown End = C.DW_END_UNKNOWN
	// All came.
	Complete End = C.DW_END_COMPLETE
	// Something is missing, or an error took its place.
	Truncated End = C.DW_END_TRUNCATED
	// It was no stream of a known provider.
	Unrecognised End = C.DW_END_UNRECOGNISED
)

// Dialect is a provider's wire format. All but Auto come from [ParseDialect].
type Dialect uint32

// Auto is: recognise it; as an answer: not known yet.
const Auto Dialect = C.DW_DIALECT_AUTO

// ParseDialect gives the dialect of a name, such as "openai-chat", or "auto".
func ParseDialect(name string) (Dialect, error) {
	var dialect Dialect
	err := dialect.UnmarshalText([]byte(name))
	return dialect, err
}

// UnmarshalText is ParseDialect for flag.TextVar.
func (d *Dialect) UnmarshalText(name []byte) error {
	found := Auto
	if len(name) > 0 {
		found = Dialect(C.dw_dialect_by_name((*C.char)(unsafe.Pointer(&name[0])), C.size_t(len(name))))
	}
	if found == Auto && string(name) != "auto" {
		return fmt.Errorf("deltawire: no dialect is called %q", name)
	}
	*d = found
	return nil
}

// MarshalText gives the name.
func (d Dialect) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d Dialect) String() string {
	if d == Auto {
		return "auto"
	}
	return C.GoString(C.dw_dialect_name(C.uint32_t(d)))
}

func (k Kind) String() string         { return C.GoString(C.dw_delta_kind_name(C.uint32_t(k))) }
func (r FinishReason) String() string { return C.GoString(C.dw_finish_reason_name(C.uint32_t(r))) }
func (k ErrorKind) String() string    { return C.GoString(C.dw_error_kind_name(C.uint32_t(k))) }

func (e End) String() string {
	switch e {
	case Complete:
		return "complete"
	case Truncated:
		return "truncated"
	case Unrecognised:
		return "unrecognised"
	}
	return "unknown"
}

// Usage has token counts with the provider's meaning; nil is one that the stream did not give.
type Usage struct {
	InputTokens, OutputTokens, TotalTokens             *uint64
	CachedTokens, CacheCreationTokens, ReasoningTokens *uint64
}

// Delta is one piece of news from a stream. Kind says which fields have it, the others are empty or zero.
// Strings are UTF-8, but for Raw, which has the bytes as they came.
type Delta struct {
	Kind Kind
	// The choice it belongs to, from 0.
	Choice uint32
	// The tool call's index on the wire, else a running count. Some number from -1.
	Index        int32
	FinishReason FinishReason
	ErrorKind    ErrorKind
	Whole        bool
	Transient    bool
	Text         string
	ID           string
	Name         string
	Model        string
	Role         string
	Code         string
	Raw          string
	Usage        *Usage
}

// newDelta copies what the kind has, since that is little of the struct.
func newDelta(from *C.dw_delta) Delta {
	delta := Delta{Kind: Kind(from.kind), Choice: uint32(from.choice)}
	switch delta.Kind {
	case KindText, KindReasoning, KindRefusal:
		delta.Text = text(from.text)
		return delta
	case KindUsage:
		delta.Usage = newUsage(&from.usage)
	}
	delta.Index = int32(from.index)
	delta.FinishReason = FinishReason(from.finish_reason)
	delta.ErrorKind = ErrorKind(from.error_kind)
	delta.Whole = from.flags&C.DW_DELTA_WHOLE != 0
	delta.Transient = from.flags&C.DW_DELTA_TRANSIENT != 0
	delta.Text, delta.ID, delta.Name = text(from.text), text(from.id), text(from.name)
	delta.Model, delta.Role = text(from.model), text(from.role)
	delta.Code, delta.Raw = text(from.code), text(from.raw)
	return delta
}

func newUsage(from *C.dw_usage) *Usage {
	usage := &Usage{}
	for _, count := range usage.counts(from) {
		if from.known&count.bit != 0 {
			value := uint64(*count.c)
			*count.of = &value
		}
	}
	return usage
}

func (u *Usage) c() C.dw_usage {
	var usage C.dw_usage
	for _, count := range u.counts(&usage) {
		if *count.of != nil {
			usage.known |= count.bit
			*count.c = C.uint64_t(**count.of)
		}
	}
	return usage
}

// count is one of the numbers, here and in C, and what says there that it is known.
type count struct {
	of  **uint64
	c   *C.uint64_t
	bit C.uint32_t
}

func (u *Usage) counts(c *C.dw_usage) [6]count {
	return [6]count{
		{&u.InputTokens, &c.input_tokens, C.DW_USAGE_INPUT_TOKENS},
		{&u.OutputTokens, &c.output_tokens, C.DW_USAGE_OUTPUT_TOKENS},
		{&u.TotalTokens, &c.total_tokens, C.DW_USAGE_TOTAL_TOKENS},
		{&u.CachedTokens, &c.cached_tokens, C.DW_USAGE_CACHED_TOKENS},
		{&u.CacheCreationTokens, &c.cache_creation_tokens, C.DW_USAGE_CACHE_CREATION_TOKENS},
		{&u.ReasoningTokens, &c.reasoning_tokens, C.DW_USAGE_REASONING_TOKENS},
	}
}

// text copies a slice of C's.
func text(slice C.dw_slice) string {
	return string(unsafe.Slice((*byte)(slice.ptr), int(slice.len)))
}

// cMemory has copies of strings in C's memory for the time of a call: a struct that is given to C may
// have no pointer to Go's.
type cMemory struct{ pieces []unsafe.Pointer }

func (m *cMemory) slice(text string) C.dw_slice {
	if text == "" {
		return C.dw_slice{}
	}
	piece := C.CBytes([]byte(text))
	m.pieces = append(m.pieces, piece)
	return C.dw_slice{ptr: (*C.uint8_t)(piece), len: C.size_t(len(text))}
}

func (m *cMemory) zeroed(len int, size C.size_t) unsafe.Pointer {
	piece := C.calloc(C.size_t(len), size)
	if piece == nil {
		panic("deltawire: out of memory")
	}
	m.pieces = append(m.pieces, piece)
	return piece
}

func (m *cMemory) free() {
	for _, piece := range m.pieces {
		C.free(piece)
	}
}

// Status is what a call of the library returned. It is the error itself where there is no more to say, and
// what errors.Is finds in the others.
type Status int32

const (
	// ErrArgument: an argument is out of range.
	ErrArgument Status = C.DW_ERR_ARGUMENT
	// ErrOrder: the call does not fit what was called before.
	ErrOrder Status = C.DW_ERR_ORDER
	// ErrUnsupported: the library is built without this.
	ErrUnsupported Status = C.DW_ERR_UNSUPPORTED
	// ErrNotAResponse: a whole response is JSON, but that of no known provider.
	ErrNotAResponse Status = C.DW_ERR_NOT_A_RESPONSE
	// ErrEventTooLarge: an event is larger than the limit. It is skipped.
	ErrEventTooLarge Status = C.DW_ERR_EVENT_TOO_LARGE
	// ErrBadFrame: a binary frame is damaged. It is skipped.
	ErrBadFrame Status = C.DW_ERR_BAD_FRAME
	// ErrNotJSON: the payload of an event is not JSON. It comes next, untouched, as KindOther.
	ErrNotJSON Status = C.DW_ERR_NOT_JSON
	// ErrRequest: the request cannot be sent as it is.
	ErrRequest Status = C.DW_ERR_REQUEST
	// ErrConnect: the server could not be reached.
	ErrConnect Status = C.DW_ERR_CONNECT
	// ErrTimeout: timed out waiting for data.
	ErrTimeout Status = C.DW_ERR_TIMEOUT
	// ErrStatus: the server refused, by an HTTP status other than 2xx.
	ErrStatus Status = C.DW_ERR_STATUS
	// ErrCancelled: the context was done, or the stream was closed.
	ErrCancelled Status = C.DW_ERR_CANCELLED
)

// Error says what the status says, for a person.
func (s Status) Error() string {
	return "deltawire: " + C.GoString(C.dw_status_message(C.int32_t(s)))
}

// Name gives the name in C, such as "DW_ERR_NOT_JSON".
func (s Status) Name() string { return C.GoString(C.dw_status_name(C.int32_t(s))) }

func (s Status) isOfEvent() bool { return s <= -10 && s > -20 }

func (s Status) orNil() error {
	if s == C.DW_OK {
		return nil
	}
	return s
}

// ErrClosed is what calls return after Close.
var ErrClosed = errors.New("deltawire: used after Close")

// EventError says that one event could not be read. The stream goes on behind it.
type EventError struct {
	// Why: ErrNotJSON, ErrEventTooLarge, ErrBadFrame.
	Status Status
	// Where the event begins, in bytes from the start of the stream.
	Offset uint64
	// Of ErrNotJSON: how far into the payload it is JSON, in bytes.
	At uint64
	// What to tell a person.
	Message string
}

func (e *EventError) Error() string { return "deltawire: " + e.Message }

// Unwrap gives the status.
func (e *EventError) Unwrap() error { return e.Status }

// IncompleteError says that a body ended, but not the stream in it. It is an io.ErrUnexpectedEOF.
type IncompleteError struct {
	// Truncated or Unrecognised.
	End End
	// How many bytes the body had; 0 where the library's own transport read it.
	Offset uint64
	// The lines that are no part of an event stream, up to 64 KiB of them, such as a web page.
	Seen []byte
}

func (e *IncompleteError) Error() string {
	if e.End == Unrecognised {
		return "deltawire: the body is no stream of a known provider"
	}
	return "deltawire: the stream ends without its terminator"
}

// Unwrap gives io.ErrUnexpectedEOF.
func (e *IncompleteError) Unwrap() error { return io.ErrUnexpectedEOF }

// TransportError says why a request was not answered, or not to its end. What does not apply is empty.
type TransportError struct {
	// What failed: ErrStatus, ErrConnect, ErrCancelled and others.
	Status Status
	// The HTTP status, such as 429, of ErrStatus.
	HTTPStatus int
	// What the provider says went wrong, of ErrStatus.
	Kind ErrorKind
	// Whether the same request may succeed later.
	Transient bool
	// How long the server asks to wait before another attempt.
	RetryAfter time.Duration
	// What to tell a person: what was asked and what became of it. Never has the key.
	Message string
	// The provider's code, its message, and its name for the request.
	Code, Said, RequestID string
	// The body of the refusal as text, up to 64 KiB of it.
	Body string

	cause error
}

func (e *TransportError) Error() string {
	return "deltawire: " + strings.TrimSuffix(e.Message, "\n")
}

// Unwrap gives the status and, of a cancelled request, the cause of its context.
func (e *TransportError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Status}
	}
	return []error{e.Status, e.cause}
}

// Version gives the version of the library, such as "0.1.0".
func Version() string { return C.GoString(C.dw_version()) }

// incompatible is set where the library that was loaded is not of the header this was compiled with.
var incompatible = func() error {
	if abi := C.dw_abi_version(); abi != C.DW_ABI_VERSION {
		return fmt.Errorf("deltawire: the library has ABI %d, the header %d", abi, C.DW_ABI_VERSION)
	}
	return nil
}()
