package deltawire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"deltawire"
	"deltawire/internal/lines"
)

// One recorded or hand-written stream, and the lines that the command prints of it.
type testCase struct {
	name    string
	file    string
	bytes   []byte
	dialect deltawire.Dialect
	isShort bool
	lines   string
}

func cases(t *testing.T) []testCase {
	t.Helper()
	folder := os.Getenv("DELTAWIRE_CASES")
	table, err := os.ReadFile(filepath.Join(folder, "cases.tsv"))
	if err != nil {
		t.Fatalf("DELTAWIRE_CASES: %v", err)
	}
	var cases []testCase
	for _, line := range strings.Split(strings.TrimSuffix(string(table), "\n"), "\n") {
		fields := strings.Split(line, "\t")
		if len(fields) != 4 {
			t.Fatalf("cases.tsv: %q", line)
		}
		c := testCase{name: fields[0], file: filepath.Join(folder, fields[1]), isShort: fields[3] == "1"}
		if c.dialect, err = deltawire.ParseDialect(fields[2]); err != nil {
			t.Fatal(err)
		}
		if c.bytes, err = os.ReadFile(c.file); err != nil {
			t.Fatal(err)
		}
		lines, err := os.ReadFile(filepath.Join(folder, c.name+".lines"))
		if err != nil {
			t.Fatal(err)
		}
		c.lines = string(lines)
		cases = append(cases, c)
	}
	if len(cases) < 30 {
		t.Fatalf("%s has %d cases, which are too few to show anything", folder, len(cases))
	}
	return cases
}

// print collects the canonical lines; errors of events are on standard error there.
func print(out []byte, deltas iter.Seq2[deltawire.Delta, error]) ([]byte, error) {
	for delta, err := range deltas {
		var ofEvent *deltawire.EventError
		if errors.As(err, &ofEvent) {
			continue
		}
		if err != nil {
			return out, err
		}
		out = lines.Append(out, &delta)
	}
	return out, nil
}

// decode prints the stream of these pieces.
func decode(decoder *deltawire.Decoder, pieces iter.Seq[[]byte]) (string, error) {
	if err := decoder.Reset(); err != nil {
		return "", err
	}
	var out []byte
	var err error
	for piece := range pieces {
		if out, err = print(out, decoder.Feed(piece)); err != nil {
			return string(out), err
		}
	}
	if out, err = print(out, decoder.Finish()); err != nil {
		return string(out), err
	}
	return string(lines.AppendEnd(out, decoder.End())), nil
}

func chunks(data []byte, size int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(data) > 0 {
			n := min(size, len(data))
			if !yield(data[:n]) {
				return
			}
			data = data[n:]
		}
	}
}

// A reader that gives a number of bytes at a time, at most.
type slow struct {
	io.Reader
	size int
}

func (s slow) Read(p []byte) (int, error) { return s.Reader.Read(p[:min(s.size, len(p))]) }

func TestStreamsReadAsTheCommandReadsThemHoweverCut(t *testing.T) {
	for _, c := range cases(t) {
		t.Run(c.name, func(t *testing.T) {
			decoder, err := deltawire.Options{Dialect: c.dialect}.NewDecoder()
			if err != nil {
				t.Fatal(err)
			}
			defer decoder.Close()
			check := func(how string, pieces iter.Seq[[]byte]) {
				got, err := decode(decoder, pieces)
				if err != nil || got != c.lines {
					t.Fatalf("%s: %v\ngot\n%swant\n%s", how, err, got, c.lines)
				}
			}
			for _, size := range []int{len(c.bytes) + 1, 1, 7, 64} {
				check(fmt.Sprintf("in pieces of %d", size), chunks(c.bytes, size))
			}
			for at := 0; c.isShort && at <= len(c.bytes); at++ {
				check(fmt.Sprintf("cut at %d", at), func(yield func([]byte) bool) {
					_ = yield(c.bytes[:at]) && yield(c.bytes[at:])
				})
			}
			for _, size := range []int{1, 7, 1 << 20} {
				var out []byte
				for delta, err := range decoder.Read(t.Context(), slow{bytes.NewReader(c.bytes), size}) {
					var ofEvent *deltawire.EventError
					var incomplete *deltawire.IncompleteError
					switch {
					case err == nil:
						out = lines.Append(out, &delta)
					case errors.As(err, &incomplete):
						if incomplete.End != decoder.End() || !errors.Is(err, io.ErrUnexpectedEOF) {
							t.Errorf("%v at an end that is %v", err, decoder.End())
						}
					case !errors.As(err, &ofEvent):
						t.Fatal(err)
					}
				}
				if got := string(lines.AppendEnd(out, decoder.End())); got != c.lines {
					t.Fatalf("from a reader, %d at a time:\ngot\n%swant\n%s", size, got, c.lines)
				}
			}
		})
	}
}

// deltas that are fetched one a call, and in batches that are full in the middle of a chunk, are the same.
func TestBatchesOfAnySizeGiveTheSame(t *testing.T) {
	for _, c := range cases(t)[:30] {
		for _, batch := range []int{1, 2, 5} {
			decoder, err := deltawire.Options{Dialect: c.dialect, Batch: batch}.NewDecoder()
			if err != nil {
				t.Fatal(err)
			}
			got, err := decode(decoder, chunks(c.bytes, 16*1024))
			if err != nil || got != c.lines {
				t.Errorf("%s in batches of %d: %v\ngot\n%swant\n%s", c.name, batch, err, got, c.lines)
			}
			decoder.Close()
		}
	}
}

// build gives the path of a program of cmd.
func build(t *testing.T, name string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", program, "./cmd/"+name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

func TestTheProgramPrintsTheLinesAndEndsAsTheCommand(t *testing.T) {
	program, command := build(t, "deltas"), os.Getenv("DELTAWIRE")
	for _, c := range cases(t)[:8] {
		dialect := c.dialect.String()
		input := func() io.Reader { return bytes.NewReader(c.bytes) }
		_, wantStatus := output(t, input(), command, "deltas", "--dialect", dialect, c.file)
		for _, args := range [][]string{{c.file}, {"--chunk-size", "1", c.file}, {}, {"-"}} {
			got, status := output(t, input(), program, append([]string{"--dialect", dialect}, args...)...)
			if got != c.lines || status != wantStatus {
				t.Errorf("%s %q: status %d, want %d\ngot\n%swant\n%s", c.name, args, status, wantStatus, got, c.lines)
			}
		}
	}
	// Complete, with one event that cannot be read.
	faulty := "data: {bad\n\n" + event("Hi") + "data: [DONE]\n\n"
	want := `{"type":"other","event":"message","raw":"{bad"}
{"type":"text","choice":0,"text":"Hi"}
{"type":"done"}
{"type":"end","complete":true}
`
	_, wantStatus := output(t, strings.NewReader(faulty), command, "deltas")
	got, status := output(t, strings.NewReader(faulty), program)
	if got != want || status != wantStatus || status != 1 {
		t.Errorf("status %d, want %d\ngot\n%swant\n%s", status, wantStatus, got, want)
	}
	for _, args := range [][]string{{"--dialect", "nobody's"}, {"--chunk-size", "0"}, {"no such file"}, {"a", "b"}} {
		if got, status := output(t, nil, program, args...); got != "" || status != 2 {
			t.Errorf("%q: status %d, printed %q", args, status, got)
		}
	}
}

// output runs a program and gives what it prints, and its exit status.
func output(t *testing.T, input io.Reader, program string, args ...string) (string, int) {
	t.Helper()
	command := exec.Command(program, args...)
	command.Stdin = input
	out, err := command.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), command.ProcessState.ExitCode()
}
