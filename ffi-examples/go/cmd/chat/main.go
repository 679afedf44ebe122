// Chat is a chat on the terminal, over the library's own transport.
//
//	chat PROMPT
//
// OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask. The reply goes to standard output as it
// comes, what is known of it to standard error. Ctrl-C ends the reply.
//
// Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response, 130 interrupted.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"deltawire"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: chat PROMPT")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := chat(ctx, os.Args[1])
	stop()
	os.Exit(status)
}

func chat(ctx context.Context, prompt string) int {
	client, err := deltawire.NewClient(deltawire.ClientOptions{
		BaseURL: os.Getenv("OPENAI_BASE_URL"),
		Key:     os.Getenv("OPENAI_API_KEY"),
		Retries: deltawire.NoRetries,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	defer client.Close()
	stream, err := client.Stream(ctx, deltawire.Request{
		Model:        cmp.Or(os.Getenv("OPENAI_MODEL"), "gpt-4o-mini"),
		Turns:        []deltawire.Turn{{Role: "user", Content: prompt}},
		IncludeUsage: true,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	defer stream.Close()

	defer fmt.Println()
	status := 0
	for delta, err := range stream.Deltas() {
		var failure *deltawire.TransportError
		switch {
		case errors.Is(err, context.Canceled):
			fmt.Fprintln(os.Stderr, "interrupted")
			return 130
		case errors.As(err, &failure):
			fmt.Fprintln(os.Stderr, err)
			return 3
		case err != nil: // an event that could not be read, or an end before its time
			fmt.Fprintln(os.Stderr, err)
			status = 1
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
