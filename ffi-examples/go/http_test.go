package deltawire_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"deltawire"
)

const key, wrongKey = "sk-right-0123456789", "sk-wrong-9876543210"

// serve starts a server that replays the recorded chat, and gives its base URL.
func serve(t *testing.T, args ...string) string {
	t.Helper()
	args = append([]string{"serve", "--port", "0"}, args...)
	server := exec.Command(os.Getenv("DELTAWIRE"), append(args, filepath.Join("..", "..", "tests", "data", "serve-chat.sse"))...)
	told, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatalf("DELTAWIRE: %v", err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
	})
	lines := bufio.NewScanner(told)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "listening on "); ok {
			return address
		}
	}
	t.Fatal("the server told no address")
	return ""
}

func newClient(t *testing.T, address, key string) *deltawire.Client {
	t.Helper()
	client, err := deltawire.NewClient(deltawire.ClientOptions{
		BaseURL: address, Key: key, Retries: deltawire.NoRetries, Proxy: "direct",
		Headers: map[string]string{"X-Test": "1"}, TimeoutIdle: 30 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

var request = deltawire.Request{
	Model: "tiny-chat-1", Turns: []deltawire.Turn{{Role: "user", Content: "Say hello\x00, grüß"}}, IncludeUsage: true,
}

// what a stream gave: the texts, when each came, and the last error.
type outcome struct {
	texts  []string
	times  []time.Time
	errs   []error
	tokens uint64
}

func (o *outcome) add(delta deltawire.Delta, err error) {
	switch {
	case err != nil:
		o.errs = append(o.errs, err)
	case delta.Kind == deltawire.KindText:
		o.texts, o.times = append(o.texts, delta.Text), append(o.times, time.Now())
	case delta.Kind == deltawire.KindUsage:
		o.tokens = *delta.Usage.OutputTokens
	}
}

func (o *outcome) isWholeReply(t *testing.T, interval time.Duration) {
	t.Helper()
	if strings.Join(o.texts, "") != "Grüß dich" || o.errs != nil || o.tokens != 4 {
		t.Fatalf("%+v", o)
	}
	if gap := o.times[len(o.times)-1].Sub(o.times[0]); gap < interval/2 {
		t.Errorf("the first text came %v before the last", gap)
	}
}

func TestAReplyComesAsItIsSent(t *testing.T) {
	const interval = 100 * time.Millisecond
	address := serve(t, "--interval-ms", "100", "--key", key)
	t.Run("the library's transport", func(t *testing.T) {
		stream, err := newClient(t, address, key).Stream(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		var o outcome
		for delta, err := range stream.Deltas() {
			o.add(delta, err)
		}
		o.isWholeReply(t, interval)
		if stream.End() != deltawire.Complete {
			t.Error(stream.End())
		}
		stream.Close()
		if stream.End() != deltawire.Complete {
			t.Error("what was known of the end is gone")
		}
	})
	t.Run("net/http", func(t *testing.T) {
		response := post(t, t.Context(), address, key)
		var o outcome
		for delta, err := range deltawire.Read(t.Context(), response.Body) {
			o.add(delta, err)
		}
		o.isWholeReply(t, interval)
	})
	t.Run("whole", func(t *testing.T) {
		reply, err := newClient(t, address, key).Fetch(t.Context(), request)
		if err != nil || reply.Text() != "Grüß dich" || !reply.IsComplete {
			t.Errorf("%+v %v", reply, err)
		}
	})
}

func post(t *testing.T, ctx context.Context, address, key string) *http.Response {
	t.Helper()
	body := `{"model":"tiny-chat-1","stream":true,"stream_options":{"include_usage":true},"messages":[]}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

// The next text would come after two seconds; whoever is ended at once does not wait for it.
func TestAStreamIsCancelledInTheMiddle(t *testing.T) {
	address := serve(t, "--interval-ms", "2000")
	ends := func(t *testing.T, o *outcome, started time.Time, want error) {
		t.Helper()
		if took := time.Since(started); took > 1500*time.Millisecond {
			t.Errorf("took %v to end", took)
		}
		if len(o.errs) != 1 || !errors.Is(o.errs[0], want) {
			t.Errorf("%+v, want %v", o.errs, want)
		}
	}
	// The first delta comes at once: it says who answers. Then there is nothing for two seconds.
	gone := errors.New("gone")
	t.Run("the library's transport, by its context", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		stream, err := newClient(t, address, "").Stream(ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		var o outcome
		var started time.Time
		for delta, err := range stream.Deltas() {
			if o.add(delta, err); delta.Kind == deltawire.KindStart && started.IsZero() {
				started = time.Now()
				time.AfterFunc(50*time.Millisecond, func() { cancel(gone) })
			}
		}
		ends(t, &o, started, gone)
		var failure *deltawire.TransportError
		if !errors.As(o.errs[0], &failure) || failure.Status != deltawire.ErrCancelled {
			t.Errorf("%#v", o.errs)
		}
	})
	t.Run("the library's transport, by Close", func(t *testing.T) {
		stream, err := newClient(t, address, "").Stream(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		var o outcome
		var started time.Time
		for delta, err := range stream.Deltas() {
			if o.add(delta, err); delta.Kind == deltawire.KindStart && started.IsZero() {
				started = time.Now()
				time.AfterFunc(50*time.Millisecond, func() { stream.Close() })
			}
		}
		if len(o.errs) == 1 && errors.Is(o.errs[0], deltawire.ErrCancelled) {
			o.errs[0] = deltawire.ErrClosed // the loop saw the end before Close had its turn
		}
		ends(t, &o, started, deltawire.ErrClosed)
	})
	t.Run("before it begins", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		stream, err := newClient(t, address, "").Stream(ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		var o outcome
		started := time.Now()
		for delta, err := range stream.Deltas() {
			o.add(delta, err)
		}
		ends(t, &o, started, context.Canceled)
	})
	t.Run("net/http", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		var o outcome
		var started time.Time
		for delta, err := range deltawire.Read(ctx, post(t, ctx, address, "").Body) {
			if o.add(delta, err); delta.Kind == deltawire.KindStart && started.IsZero() {
				started = time.Now()
				time.AfterFunc(50*time.Millisecond, func() { cancel(gone) })
			}
		}
		ends(t, &o, started, gone)
	})
}

func TestTheTextSoFarIsKeptWhenAStreamIsCancelled(t *testing.T) {
	address := serve(t, "--interval-ms", "60")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := newClient(t, address, "").Stream(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	message, err := deltawire.NewMessage()
	if err != nil {
		t.Fatal(err)
	}
	defer message.Close()
	var last error
	for delta, err := range stream.Deltas() {
		if last = err; err != nil {
			continue
		}
		if err := message.Push(delta); err != nil {
			t.Fatal(err)
		}
		if delta.Kind == deltawire.KindText {
			cancel()
		}
	}
	if err := message.Finish(stream.End()); err != nil {
		t.Fatal(err)
	}
	reply, err := message.Reply()
	if err != nil || reply.Text() != "Grüß" || reply.IsComplete || reply.End != deltawire.Truncated || !errors.Is(last, context.Canceled) {
		t.Errorf("%+v %v %v", reply, err, last)
	}
}

func TestARefusalIsTold(t *testing.T) {
	address := serve(t, "--key", key)
	stream, err := newClient(t, address, wrongKey).Stream(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	var o outcome
	for delta, err := range stream.Deltas() {
		o.add(delta, err)
	}
	var failure *deltawire.TransportError
	if len(o.errs) != 1 || !errors.As(o.errs[0], &failure) {
		t.Fatalf("%+v", o)
	}
	if failure.Status != deltawire.ErrStatus || failure.HTTPStatus != 401 ||
		failure.Kind != deltawire.ErrorAuthentication || failure.Said == "" || failure.Transient ||
		!strings.Contains(failure.Error(), "401") || !strings.Contains(failure.Error(), failure.Said) {
		t.Errorf("%+v", failure)
	}
	if all := failure.Error() + failure.Body + failure.Said; strings.Contains(all, wrongKey) {
		t.Errorf("the key is shown: %s", all)
	}
	if _, err := newClient(t, address, wrongKey).Fetch(t.Context(), request); !errors.Is(err, deltawire.ErrStatus) {
		t.Error(err)
	}
	response := post(t, t.Context(), address, wrongKey)
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 401 {
		t.Fatal(response.Status, err)
	}
	message, err := deltawire.NewMessage()
	if err != nil {
		t.Fatal(err)
	}
	defer message.Close()
	if err := message.ReadWhole(body); err != nil {
		t.Fatal(err)
	}
	if reply, err := message.Reply(); err != nil || reply.Error == nil || reply.Error.Kind != deltawire.ErrorAuthentication ||
		reply.Error.Message != failure.Said {
		t.Errorf("%+v %v", reply, err)
	}
}

func TestTheChatsTalk(t *testing.T) {
	quick, slow := serve(t, "--key", key), serve(t, "--interval-ms", "2000")
	for _, name := range []string{"chat", "http_chat"} {
		t.Run(name, func(t *testing.T) {
			program := build(t, name)
			run := func(address, key string, args ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
				var out, told bytes.Buffer
				chat := exec.Command(program, args...)
				chat.Stdout, chat.Stderr = &out, &told
				chat.Env = append(os.Environ(), "OPENAI_BASE_URL="+address, "OPENAI_API_KEY="+key, "OPENAI_MODEL=tiny-chat-1")
				if err := chat.Start(); err != nil {
					t.Fatal(err)
				}
				return chat, &out, &told
			}
			chat, out, told := run(quick, key, "Say hello")
			if err := chat.Wait(); err != nil || out.String() != "Grüß dich\n" || !strings.Contains(told.String(), "4 tokens") {
				t.Errorf("%v %q %q", err, out, told)
			}
			chat, out, told = run(quick, wrongKey, "Say hello")
			if chat.Wait(); chat.ProcessState.ExitCode() != 3 || !strings.Contains(told.String(), "401") ||
				strings.Contains(told.String()+out.String(), wrongKey) {
				t.Errorf("%v %q %q", chat.ProcessState, out, told)
			}
			chat, out, told = run("http://127.0.0.1:1/v1", "", "Say hello")
			if chat.Wait(); chat.ProcessState.ExitCode() != 3 {
				t.Errorf("%v %q %q", chat.ProcessState, out, told)
			}
			chat, out, told = run(quick, key)
			if chat.Wait(); chat.ProcessState.ExitCode() != 2 || out.String() != "" {
				t.Errorf("%v %q %q", chat.ProcessState, out, told)
			}
			chat, out, told = run(slow, "", "Say hello")
			time.Sleep(700 * time.Millisecond)
			started := time.Now()
			chat.Process.Signal(syscall.SIGINT)
			if chat.Wait(); chat.ProcessState.ExitCode() != 130 || time.Since(started) > 1200*time.Millisecond {
				t.Errorf("%v after %v, %q %q", chat.ProcessState, time.Since(started), out, told)
			}
		})
	}
}
