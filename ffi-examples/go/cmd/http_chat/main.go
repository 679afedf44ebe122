// Http_chat is a chat on the terminal, over net/http: the body's bytes go into a decoder as they arrive.
//
//	http_chat PROMPT
//
// OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask. The reply goes to standard output as it
// comes, what is known of it to standard error. Ctrl-C ends the reply.
//
// Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response, 130 interrupted.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"

	"deltawire"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: http_chat PROMPT")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := chat(ctx, os.Args[1])
	stop()
	os.Exit(status)
}

func chat(ctx context.Context, prompt string) int {
	response, err := ask(ctx, prompt)
	if err == nil {
		defer response.Body.Close()
		if response.StatusCode/100 != 2 {
			err = refusal(response)
		}
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "interrupted")
		return 130
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}

	defer fmt.Println()
	status := 0
	for delta, err := range deltawire.Read(ctx, response.Body) {
		var ofEvent *deltawire.EventError
		var incomplete *deltawire.IncompleteError
		switch {
		case errors.Is(err, context.Canceled):
			fmt.Fprintln(os.Stderr, "interrupted")
			return 130
		case errors.As(err, &ofEvent) || errors.As(err, &incomplete):
			fmt.Fprintln(os.Stderr, err)
			status = 1
		case err != nil: // the connection broke
			fmt.Fprintln(os.Stderr, err)
			return 3
		case delta.Kind == deltawire.KindText:
			fmt.Print(delta.Text)
		case delta.Kind == deltawire.KindUsage && delta.Usage.OutputTokens != nil:
			fmt.Fprintf(os.Stderr, "(%d tokens)", *delta.Usage.OutputTokens)
		case delta.Kind == deltawire.KindError:
			fmt.Fprintf(os.Stderr, "%v: %s\n", delta.ErrorKind, delta.Text)
			status = 1
		}
	}
	return status
}

func ask(ctx context.Context, prompt string) (*http.Response, error) {
	body, err := json.Marshal(map[string]any{
		"model":          cmp.Or(os.Getenv("OPENAI_MODEL"), "gpt-4o-mini"),
		"messages":       []map[string]string{{"role": "user", "content": prompt}},
		"stream":         true,
		"stream_options": map[string]bool{"include_usage": true},
	})
	if err != nil {
		return nil, err
	}
	base := cmp.Or(os.Getenv("OPENAI_BASE_URL"), "https://api.openai.com/v1")
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if key := os.Getenv("OPENAI_API_KEY"); key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	return http.DefaultClient.Do(request)
}

// refusal reads what the provider says went wrong.
func refusal(response *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(response.Body, 64*1024))
	if err != nil {
		return err
	}
	message, err := deltawire.NewMessage()
	if err != nil {
		return err
	}
	defer message.Close()
	if message.ReadWhole(body) == nil {
		if reply, err := message.Reply(); err == nil && reply.Error != nil {
			return fmt.Errorf("%s: %w", response.Status, reply.Error)
		}
	}
	return fmt.Errorf("%s: %s", response.Status, body)
}
