package deltawire_test

import (
	"context"
	"errors"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"deltawire"
)

func event(content string) string {
	return `data: {"choices":[{"index":0,"delta":{"content":"` + content + `"}}]}` + "\n\n"
}

func newDecoder(t *testing.T, options deltawire.Options) *deltawire.Decoder {
	t.Helper()
	decoder, err := options.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { decoder.Close() })
	return decoder
}

// texts gives the texts and the errors of a chunk.
func texts(decoder *deltawire.Decoder, chunk string) (texts []string, errs []error) {
	for delta, err := range decoder.Feed([]byte(chunk)) {
		if err != nil {
			errs = append(errs, err)
		} else {
			texts = append(texts, delta.Text)
		}
	}
	return texts, errs
}

func TestTextStaysRightAfterTheNextCallAndAfterClose(t *testing.T) {
	decoder := newDecoder(t, deltawire.Options{})
	chunk := []byte(event(`Gr\u00fc\u00df\u0000dich \ud83d\ude00`))
	var kept []string
	for delta, err := range decoder.Feed(chunk) {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, delta.Text)
	}
	clear(chunk)
	texts(decoder, strings.Repeat(event("something else, and longer than that"), 500))
	decoder.Close()
	runtime.GC()
	if len(kept) != 1 || kept[0] != "Grüß\x00dich 😀" {
		t.Errorf("%q", kept)
	}
}

func TestALoopThatIsLeftEarlyLeavesTheRest(t *testing.T) {
	decoder := newDecoder(t, deltawire.Options{})
	for delta, err := range decoder.Feed([]byte(event("one") + event("two") + event("three"))) {
		if err != nil || delta.Text != "one" {
			t.Fatal(delta, err)
		}
		break
	}
	// What is left comes before what a later chunk brings, whichever way that is given.
	if n, err := decoder.Write([]byte(event("four"))); n != len(event("four")) || err != nil {
		t.Fatal(n, err)
	}
	got, errs := texts(decoder, event("five"))
	if want := "two three four five"; strings.Join(got, " ") != want || errs != nil {
		t.Errorf("%q %v", got, errs)
	}
	if decoder.Events() != 5 || decoder.Dialect().String() != "openai-chat" {
		t.Error(decoder.Events(), decoder.Dialect())
	}
}

func TestWriteServesATee(t *testing.T) {
	decoder := newDecoder(t, deltawire.Options{})
	body := event("Hi") + "data: [DONE]\n\n"
	through, err := io.ReadAll(io.TeeReader(strings.NewReader(body), decoder))
	if string(through) != body || err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for delta, err := range decoder.Finish() {
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, delta.Kind.String())
	}
	if strings.Join(kinds, " ") != "text done" || decoder.End() != deltawire.Complete {
		t.Error(kinds, decoder.End())
	}
}

func TestAnErrorOfAnEventDoesNotEndTheStream(t *testing.T) {
	decoder := newDecoder(t, deltawire.Options{MaxEventBytes: 200})
	first := event("before")
	got, errs := texts(decoder, first+event(strings.Repeat("x", 500))+"data: {bad\n\n"+event("behind"))
	if strings.Join(got, "|") != "before||behind" || len(errs) != 2 {
		t.Fatalf("%q %v", got, errs)
	}
	var large, bad *deltawire.EventError
	if !errors.As(errs[0], &large) || !errors.Is(errs[0], deltawire.ErrEventTooLarge) ||
		large.Offset != uint64(len(first)) || !strings.Contains(large.Message, "200") {
		t.Errorf("%#v", errs[0])
	}
	if !errors.As(errs[1], &bad) || !errors.Is(errs[1], deltawire.ErrNotJSON) || bad.At != 1 {
		t.Errorf("%#v", errs[1])
	}
}

func TestATruncatedStreamSaysSo(t *testing.T) {
	for body, want := range map[string]deltawire.End{
		event("half"):           deltawire.Truncated,
		"<html>\n<p>502</p>\n":  deltawire.Unrecognised,
		event("Hi")[:30]:        deltawire.Unrecognised,
		event("a") + "data: [D": deltawire.Truncated,
	} {
		var last error
		for _, err := range deltawire.Read(t.Context(), strings.NewReader(body)) {
			last = err
		}
		var incomplete *deltawire.IncompleteError
		if !errors.As(last, &incomplete) || !errors.Is(last, io.ErrUnexpectedEOF) || incomplete.End != want {
			t.Errorf("%q: %#v", body, last)
		} else if incomplete.Offset != uint64(len(body)) {
			t.Errorf("%q: offset %d", body, incomplete.Offset)
		} else if want == deltawire.Unrecognised && body[0] == '<' && string(incomplete.Seen) != body {
			t.Errorf("%q: seen %q", body, incomplete.Seen)
		}
	}
	for _, err := range deltawire.Read(t.Context(), strings.NewReader(event("Hi")+"data: [DONE]\n\n")) {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestAFailureOfTheBodyIsHandedOn(t *testing.T) {
	broken := errors.New("broken")
	body := io.MultiReader(strings.NewReader(event("Hi")), &failing{broken})
	var got []string
	var last error
	for delta, err := range deltawire.Read(t.Context(), body) {
		got, last = append(got, delta.Text), err
	}
	if len(got) != 2 || got[0] != "Hi" || !errors.Is(last, broken) {
		t.Error(got, last)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func TestAContextEndsALoopThatWaits(t *testing.T) {
	gone := errors.New("nobody listens any more")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	body, writer := io.Pipe()
	go writer.Write([]byte(event("Hi")))
	timer := time.AfterFunc(10*time.Second, func() { writer.CloseWithError(errors.New("nobody ended the loop")) })
	defer timer.Stop()
	var got []string
	var last error
	started := time.Now()
	for delta, err := range deltawire.Read(ctx, body) {
		if got, last = append(got, delta.Text), err; delta.Text == "Hi" {
			time.AfterFunc(20*time.Millisecond, func() { cancel(gone) })
		}
	}
	if len(got) != 2 || got[0] != "Hi" || !errors.Is(last, gone) || time.Since(started) > 5*time.Second {
		t.Error(got, last, time.Since(started))
	}
}

func TestUseAfterCloseIsAnError(t *testing.T) {
	decoder := newDecoder(t, deltawire.Options{})
	texts(decoder, event("Hi"))
	for range 2 {
		if err := decoder.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, errs := texts(decoder, event("Hi")); len(errs) != 1 || errs[0] != deltawire.ErrClosed {
		t.Error(errs)
	}
	if _, err := decoder.Write([]byte("x")); err != deltawire.ErrClosed {
		t.Error(err)
	}
	if err := decoder.Reset(); err != deltawire.ErrClosed {
		t.Error(err)
	}
	var errs []error
	for _, err := range decoder.Finish() {
		errs = append(errs, err)
	}
	for _, err := range decoder.Read(t.Context(), strings.NewReader("")) {
		errs = append(errs, err)
	}
	if len(errs) != 2 || errs[0] != deltawire.ErrClosed || errs[1] != deltawire.ErrClosed {
		t.Error(errs)
	}
	if decoder.End() != deltawire.Unknown || decoder.Dialect() != deltawire.Auto || decoder.Offset() != 0 ||
		decoder.Events() != 0 || decoder.Seen() != nil {
		t.Error("a closed decoder knows something")
	}

	decoder = newDecoder(t, deltawire.Options{})
	for _, err := range decoder.Feed([]byte(event("one") + event("two"))) {
		if decoder.Close(); err != nil && err != deltawire.ErrClosed {
			t.Error(err)
		}
	}

	message, err := deltawire.NewMessage()
	if err != nil {
		t.Fatal(err)
	}
	message.Close()
	message.Close()
	_, err = message.Reply()
	if err != deltawire.ErrClosed || message.Push(deltawire.Delta{}) != err || message.Finish(deltawire.Complete) != err ||
		message.ReadWhole(nil) != err {
		t.Error(err)
	}

	client, err := deltawire.NewClient(deltawire.ClientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := client.Stream(t.Context(), deltawire.Request{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	stream.Close()
	stream.Close()
	client.Close()
	client.Close()
	for _, err := range stream.Deltas() {
		if err != deltawire.ErrClosed {
			t.Error(err)
		}
	}
	if _, err := client.Stream(t.Context(), deltawire.Request{}); err != deltawire.ErrClosed {
		t.Error(err)
	}
}

func TestWhatIsNoOptionIsRefused(t *testing.T) {
	for _, name := range []string{"", "nobody's", "openai-chat\x00", "Auto"} {
		if _, err := deltawire.ParseDialect(name); err == nil {
			t.Errorf("%q is a dialect", name)
		}
	}
	for _, options := range []deltawire.Options{
		{Dialect: 99}, {MaxEventBytes: -1}, {Batch: -1}, {TextField: "\xff"},
	} {
		if decoder, err := options.NewDecoder(); !errors.Is(err, deltawire.ErrArgument) || decoder != nil {
			t.Errorf("%+v: %v", options, err)
		}
	}
	var failure *deltawire.TransportError
	if _, err := deltawire.NewClient(deltawire.ClientOptions{CAFile: "/nowhere.pem"}); !errors.As(err, &failure) ||
		!errors.Is(err, deltawire.ErrRequest) || !strings.Contains(failure.Message, "nowhere.pem") {
		t.Errorf("%#v", err)
	}
	if err := deltawire.ErrNotJSON; err.Name() != "DW_ERR_NOT_JSON" || err.Error() == "" {
		t.Error(err.Name(), err)
	}
}

func TestADialectThatIsNamedIsNotGuessed(t *testing.T) {
	anthropic, err := deltawire.ParseDialect("anthropic")
	if err != nil {
		t.Fatal(err)
	}
	decoder := newDecoder(t, deltawire.Options{Dialect: anthropic})
	for delta, err := range decoder.Feed([]byte(event("Hi"))) {
		if delta.Kind != deltawire.KindOther || err != nil {
			t.Errorf("%+v %v", delta, err)
		}
	}
	if decoder.Dialect() != anthropic || decoder.Events() != 1 {
		t.Error(decoder.Dialect(), decoder.Events())
	}
}

func TestAFieldThatASenderInventedIsRead(t *testing.T) {
	decoder := newDecoder(t, deltawire.Options{TextField: "wörter"})
	got, errs := texts(decoder, `data: {"choices":[{"index":0,"delta":{"wörter":"Hi"}}]}`+"\n\n")
	if len(got) != 1 || got[0] != "Hi" || errs != nil {
		t.Error(got, errs)
	}
}

func TestAMessagePutsDeltasTogether(t *testing.T) {
	body := `data: {"id":"c1","model":"m1","choices":[{"index":0,"delta":{"role":"assistant","content":"Gr\u00fc\u0000"}}]}

data: {"choices":[{"index":0,"delta":{"content":"\u00df dich","reasoning_content":"Greet."}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t1","function":{"name":"f","arguments":"{\"a\":"}}]}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4}}

data: [DONE]

`
	message, err := deltawire.NewMessage()
	if err != nil {
		t.Fatal(err)
	}
	defer message.Close()
	decoder := newDecoder(t, deltawire.Options{})
	for delta, err := range decoder.Read(t.Context(), strings.NewReader(body)) {
		if err != nil {
			t.Fatal(err)
		}
		if err := message.Push(delta); err != nil {
			t.Fatal(err)
		}
	}
	if err := message.Finish(decoder.End()); err != nil {
		t.Fatal(err)
	}
	reply, err := message.Reply()
	if err != nil {
		t.Fatal(err)
	}
	if reply.Text() != "Grü\x00ß dich" || reply.ID != "c1" || reply.Model != "m1" || reply.Role != "assistant" ||
		!reply.IsComplete || reply.End != deltawire.Complete || reply.Error != nil {
		t.Errorf("%+v", reply)
	}
	if choice := reply.Choices[0]; choice.Reasoning != "Greet." || choice.FinishRaw != "tool_calls" ||
		choice.FinishReason != deltawire.FinishToolCalls {
		t.Errorf("%+v", choice)
	}
	call := deltawire.ToolCall{Choice: 0, Index: 0, ID: "t1", Name: "f", Arguments: `{"a":1}`}
	if len(reply.ToolCalls) != 1 || reply.ToolCalls[0] != call || len(reply.ServerToolCalls) != 0 {
		t.Errorf("%+v", reply.ToolCalls)
	}
	usage := reply.Usage
	if *usage.InputTokens != 9 || *usage.OutputTokens != 4 || usage.TotalTokens != nil {
		t.Errorf("%+v", usage)
	}
	if err := message.Push(deltawire.Delta{Kind: 99}); !errors.Is(err, deltawire.ErrArgument) {
		t.Error(err)
	}
	if err := message.Push(deltawire.Delta{Kind: deltawire.KindText, Text: "\xff"}); !errors.Is(err, deltawire.ErrArgument) {
		t.Error(err)
	}
}

// What a message was given of any kind, it has.
func TestAMessageTakesEveryKind(t *testing.T) {
	message, err := deltawire.NewMessage()
	if err != nil {
		t.Fatal(err)
	}
	defer message.Close()
	count := uint64(6)
	for _, delta := range []deltawire.Delta{
		{Kind: deltawire.KindStart, ID: "i", Model: "m", Role: "r"},
		{Kind: deltawire.KindText, Choice: 1, Text: "t"},
		{Kind: deltawire.KindReasoning, Choice: 1, Text: "z"},
		{Kind: deltawire.KindRefusal, Choice: 1, Text: "n"},
		{Kind: deltawire.KindToolCallStart, Choice: 1, Index: -1, ID: "a", Name: "b"},
		{Kind: deltawire.KindToolCallArguments, Choice: 1, Index: -1, Text: "old"},
		{Kind: deltawire.KindToolCallArguments, Choice: 1, Index: -1, Text: "new", Whole: true},
		{Kind: deltawire.KindServerToolCallStart, Choice: 1, Index: 7, ID: "c", Name: "d"},
		{Kind: deltawire.KindServerToolCallArguments, Choice: 1, Index: 7, Text: "{}"},
		{Kind: deltawire.KindFinish, Choice: 1, FinishReason: deltawire.FinishLength, Raw: "max"},
		{Kind: deltawire.KindUsage, Usage: &deltawire.Usage{ReasoningTokens: &count}},
		{Kind: deltawire.KindError, ErrorKind: deltawire.ErrorOverloaded, Code: "529", Text: "busy", Transient: true},
		{Kind: deltawire.KindOther, Name: "o", Raw: "\xff"},
		{Kind: deltawire.KindDone},
	} {
		if err := message.Push(delta); err != nil {
			t.Errorf("%v: %v", delta.Kind, err)
		}
	}
	got, err := message.Reply()
	if err != nil {
		t.Fatal(err)
	}
	want := &deltawire.Reply{
		ID: "i", Model: "m", Role: "r", Usage: deltawire.Usage{ReasoningTokens: &count},
		Choices:         []deltawire.Choice{{1, deltawire.FinishLength, "max", "t", "z", "n"}},
		ToolCalls:       []deltawire.ToolCall{{1, -1, "a", "b", "new"}},
		ServerToolCalls: []deltawire.ToolCall{{1, 7, "c", "d", "{}"}},
		Error:           &deltawire.ProviderError{Kind: deltawire.ErrorOverloaded, Code: "529", Message: "busy", Transient: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestAWholeResponseIsReadToo(t *testing.T) {
	message, err := deltawire.NewMessage()
	if err != nil {
		t.Fatal(err)
	}
	defer message.Close()
	if err := message.ReadWhole([]byte(`{"error":{"message":"No.","type":"authentication_error"}}`)); err != nil {
		t.Fatal(err)
	}
	reply, err := message.Reply()
	if err != nil || reply.Error == nil || reply.Error.Kind != deltawire.ErrorAuthentication || reply.Error.Message != "No." {
		t.Errorf("%+v %v", reply, err)
	}
	for body, want := range map[string]error{"{bad": deltawire.ErrNotJSON, "{}": deltawire.ErrNotAResponse, "": deltawire.ErrNotJSON} {
		var failure *deltawire.EventError
		if err := message.ReadWhole([]byte(body)); !errors.Is(err, want) || !errors.As(err, &failure) || failure.Message == "" {
			t.Errorf("%q: %v", body, err)
		}
	}
}
