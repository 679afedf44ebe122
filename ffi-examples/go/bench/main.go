// Bench reads one recorded stream of OpenAI chat chunks in several ways, in one process, and prints what an
// event costs:
//
//	bench FILE
//
// Tab-separated: name, mode, nanoseconds an event, text deltas, bytes of their text. Mode `16k` is a reader
// that gives 16 KiB at a time, as a busy proxy sends them, `event` one that gives an event at a time, as
// most reads off a network do. Each way counts the text deltas and joins their text.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"deltawire"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/ssestream"
)

// What is read: how many text deltas, and their text.
type total struct {
	deltas int
	text   strings.Builder
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: bench FILE")
		os.Exit(2)
	}
	body, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	events := bytes.Count(body, []byte("\n\n"))
	ways := []struct {
		name string
		read func(io.Reader, *total) error
	}{
		{"deltawire", withDeltawire(deltawire.Options{})},
		{"deltawire, one call a delta", withDeltawire(deltawire.Options{Batch: 1})},
		{"bufio.Scanner + encoding/json", withScanner},
		{"openai-go ssestream", withOpenAI},
	}
	for _, mode := range []struct {
		name   string
		pieces func() io.Reader
	}{
		{"16k", func() io.Reader { return &pieces{body: body, next: func(rest []byte) int { return 16 * 1024 }} }},
		{"event", func() io.Reader {
			return &pieces{body: body, next: func(rest []byte) int { return bytes.Index(rest, []byte("\n\n")) + 2 }}
		}},
	} {
		least := make([]time.Duration, len(ways))
		totals := make([]*total, len(ways))
		// One round of all before the next of any, so that a slow second of the machine hits all alike.
		for round := range 6 {
			for at, way := range ways {
				read := &total{}
				body := mode.pieces()
				started := time.Now()
				if err := way.read(body, read); err != nil {
					log.Fatalf("%s: %v", way.name, err)
				}
				took := time.Since(started)
				// The first one warms up.
				if round == 1 || round > 1 && took < least[at] {
					least[at] = took
				}
				totals[at] = read
			}
		}
		for at, way := range ways {
			fmt.Printf("%s\t%s\t%.0f\t%d\t%d\n", way.name, mode.name,
				float64(least[at].Nanoseconds())/float64(events), totals[at].deltas, totals[at].text.Len())
		}
	}
}

// A body that gives a piece at a time.
type pieces struct {
	body []byte
	next func(rest []byte) int
	left int
}

func (p *pieces) Read(to []byte) (int, error) {
	if len(p.body) == 0 {
		return 0, io.EOF
	}
	if p.left == 0 {
		p.left = min(p.next(p.body), len(p.body))
	}
	n := copy(to, p.body[:p.left])
	p.body, p.left = p.body[n:], p.left-n
	return n, nil
}

func (p *pieces) Close() error { return nil }

func withDeltawire(options deltawire.Options) func(io.Reader, *total) error {
	return func(body io.Reader, total *total) error {
		decoder, err := options.NewDecoder()
		if err != nil {
			return err
		}
		defer decoder.Close()
		for delta, err := range decoder.Read(context.Background(), body) {
			if err != nil {
				return err
			}
			if delta.Kind == deltawire.KindText {
				total.deltas++
				total.text.WriteString(delta.Text)
			}
		}
		return nil
	}
}

// What a chunk has, as programs without an SDK declare it.
type chunk struct {
	ID      string `json:"id"`
	Model   string `json:"model"`
	Choices []struct {
		Index int `json:"index"`
		Delta struct {
			Role    string `json:"role"`
			Content string `json:"content"`
		} `json:"delta"`
		FinishReason *string `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		PromptTokens     int `json:"prompt_tokens"`
		CompletionTokens int `json:"completion_tokens"`
		TotalTokens      int `json:"total_tokens"`
	} `json:"usage"`
}

func withScanner(body io.Reader, total *total) error {
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		data, isData := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !isData {
			continue
		}
		if string(data) == "[DONE]" {
			break
		}
		var chunk chunk
		if err := json.Unmarshal(data, &chunk); err != nil {
			return err
		}
		if len(chunk.Choices) > 0 && chunk.Choices[0].Delta.Content != "" {
			total.deltas++
			total.text.WriteString(chunk.Choices[0].Delta.Content)
		}
	}
	return lines.Err()
}

// The SDK's own reader of streams, given a response as its client would.
func withOpenAI(body io.Reader, total *total) error {
	response := &http.Response{
		StatusCode: 200,
		Header:     http.Header{"Content-Type": {"text/event-stream"}},
		Body:       body.(io.ReadCloser),
	}
	stream := ssestream.NewStream[openai.ChatCompletionChunk](ssestream.NewDecoder(response), nil)
	for stream.Next() {
		chunk := stream.Current()
		if len(chunk.Choices) > 0 && chunk.Choices[0].Delta.Content != "" {
			total.deltas++
			total.text.WriteString(chunk.Choices[0].Delta.Content)
		}
	}
	return stream.Err()
}
