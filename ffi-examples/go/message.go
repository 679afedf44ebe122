package deltawire

/*
#include <deltawire.h>

// Go may pass pointers to its strings, but none to a struct that has such pointers.
static int32_t dwgo_push(dw_message *message, uint32_t kind, uint32_t choice, int32_t index, uint32_t flags,
                         uint32_t finish_reason, uint32_t error_kind, const dw_usage *usage,
                         const uint8_t *text, size_t text_len, const uint8_t *id, size_t id_len,
                         const uint8_t *name, size_t name_len, const uint8_t *model, size_t model_len,
                         const uint8_t *role, size_t role_len, const uint8_t *code, size_t code_len,
                         const uint8_t *raw, size_t raw_len) {
	dw_delta delta = {
		.kind = kind, .choice = choice, .index = index, .flags = flags,
		.finish_reason = finish_reason, .error_kind = error_kind, .usage = *usage,
		.text = { text, text_len }, .id = { id, id_len }, .name = { name, name_len },
		.model = { model, model_len }, .role = { role, role_len },
		.code = { code, code_len }, .raw = { raw, raw_len },
	};
	return dw_message_push(message, &delta);
}
*/
import "C"

import (
	"errors"
	"runtime"
	"unsafe"
)

// Message puts the deltas of a reply together.
type Message struct {
	handle  *C.dw_message
	cleanup runtime.Cleanup
}

// Reply is what a message has at the time. It is the caller's own.
type Reply struct {
	ID, Model, Role string
	// Of each count the last that came.
	Usage Usage
	// In the order of their indexes.
	Choices []Choice
	// In the order in which they began; of tools that the provider ran itself apart.
	ToolCalls, ServerToolCalls []ToolCall
	// Unknown until Finish.
	End End
	// Whether the stream came to its end and reported no error.
	IsComplete bool
	// The first error that the provider reported, or nil.
	Error *ProviderError
}

// Text gives the text of the first choice; empty where there is none.
func (r *Reply) Text() string {
	if len(r.Choices) == 0 {
		return ""
	}
	return r.Choices[0].Text
}

// Choice is one of the replies to a prompt.
type Choice struct {
	Index        uint32
	FinishReason FinishReason
	// The same in the provider's words.
	FinishRaw                string
	Text, Reasoning, Refusal string
}

// ToolCall is a call of a tool. Arguments is JSON text, if the model wrote it right.
type ToolCall struct {
	Choice              uint32
	Index               int32
	ID, Name, Arguments string
}

// ProviderError is an error that the provider reported in place of a reply, or within one.
type ProviderError struct {
	Kind          ErrorKind
	Code, Message string
	// Whether the same request may succeed later.
	Transient bool
}

func (e *ProviderError) Error() string { return e.Kind.String() + ": " + e.Message }

// NewMessage makes a message of which nothing has come.
func NewMessage() (*Message, error) {
	if incompatible != nil {
		return nil, incompatible
	}
	var handle *C.dw_message
	if status := C.dw_message_new(&handle); status != C.DW_OK {
		return nil, Status(status)
	}
	handles.Add(1)
	m := &Message{handle: handle}
	m.cleanup = runtime.AddCleanup(m, freeMessage, handle)
	return m, nil
}

func freeMessage(handle *C.dw_message) {
	C.dw_message_free(handle)
	handles.Add(-1)
}

// Close frees the message. Other calls return ErrClosed from then on, Close itself nil.
func (m *Message) Close() error {
	if m.handle != nil {
		m.cleanup.Stop()
		freeMessage(m.handle)
		m.handle = nil
	}
	return nil
}

// Push takes in a delta, and copies what it keeps of it.
func (m *Message) Push(delta Delta) error {
	defer runtime.KeepAlive(m)
	if m.handle == nil {
		return ErrClosed
	}
	var flags C.uint32_t
	if delta.Whole {
		flags |= C.DW_DELTA_WHOLE
	}
	if delta.Transient {
		flags |= C.DW_DELTA_TRANSIENT
	}
	var usage C.dw_usage
	if delta.Usage != nil {
		usage = delta.Usage.c()
	}
	start := func(text string) *C.uint8_t { return (*C.uint8_t)(unsafe.StringData(text)) }
	size := func(text string) C.size_t { return C.size_t(len(text)) }
	return Status(C.dwgo_push(m.handle, C.uint32_t(delta.Kind), C.uint32_t(delta.Choice),
		C.int32_t(delta.Index), flags, C.uint32_t(delta.FinishReason), C.uint32_t(delta.ErrorKind), &usage,
		start(delta.Text), size(delta.Text), start(delta.ID), size(delta.ID),
		start(delta.Name), size(delta.Name), start(delta.Model), size(delta.Model),
		start(delta.Role), size(delta.Role), start(delta.Code), size(delta.Code),
		start(delta.Raw), size(delta.Raw))).orNil()
}

// Finish notes how the stream ended, as [Decoder.End] or [Stream.End] says it.
func (m *Message) Finish(end End) error {
	defer runtime.KeepAlive(m)
	if m.handle == nil {
		return ErrClosed
	}
	return Status(C.dw_message_finish(m.handle, C.uint32_t(end))).orNil()
}

// ReadWhole reads a response as a server sends it where no stream was asked for, in place of what the
// message had. An error that the provider reports in it is the reply's, and none of the call's.
func (m *Message) ReadWhole(body []byte) error {
	defer runtime.KeepAlive(m)
	if m.handle == nil {
		return ErrClosed
	}
	var failure C.dw_error
	status := Status(C.dw_message_read(m.handle, (*C.uint8_t)(unsafe.SliceData(body)), C.size_t(len(body)), &failure))
	if status == ErrNotJSON || status == ErrNotAResponse {
		return &EventError{status, 0, uint64(failure.at), text(failure.message)}
	}
	return status.orNil()
}

// Reply gives what there is so far.
func (m *Message) Reply() (*Reply, error) {
	defer runtime.KeepAlive(m)
	if m.handle == nil {
		return nil, ErrClosed
	}
	var info C.dw_message_info
	if status := C.dw_message_get(m.handle, &info); status != C.DW_OK {
		return nil, Status(status)
	}
	reply := &Reply{
		ID: text(info.id), Model: text(info.model), Role: text(info.role),
		Usage: *newUsage(&info.usage), End: End(info.end), IsComplete: info.is_complete != 0,
	}
	if info.error_kind != C.DW_ERROR_NONE {
		reply.Error = &ProviderError{ErrorKind(info.error_kind), text(info.error_code),
			text(info.error_message), info.error_transient != 0}
	}
	var failed []error
	for at := C.size_t(0); at < info.choices; at++ {
		var from C.dw_choice
		failed = append(failed, Status(C.dw_message_choice(m.handle, at, &from)).orNil())
		reply.Choices = append(reply.Choices, Choice{uint32(from.index), FinishReason(from.finish_reason),
			text(from.finish_raw), text(from.text), text(from.reasoning), text(from.refusal)})
	}
	for at := C.size_t(0); at < info.tool_calls; at++ {
		var from C.dw_tool_call
		failed = append(failed, Status(C.dw_message_tool_call(m.handle, at, &from)).orNil())
		reply.ToolCalls = append(reply.ToolCalls, newToolCall(&from))
	}
	for at := C.size_t(0); at < info.server_tool_calls; at++ {
		var from C.dw_tool_call
		failed = append(failed, Status(C.dw_message_server_tool_call(m.handle, at, &from)).orNil())
		reply.ServerToolCalls = append(reply.ServerToolCalls, newToolCall(&from))
	}
	return reply, errors.Join(failed...)
}

func newToolCall(from *C.dw_tool_call) ToolCall {
	return ToolCall{uint32(from.choice), int32(from.index), text(from.id), text(from.name), text(from.arguments)}
}
