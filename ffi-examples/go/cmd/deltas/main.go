// Deltas prints what a recorded response says, a line a delta, as `deltawire deltas` does.
//
//	deltas [--dialect D] [--chunk-size N] [FILE]     standard input where there is no FILE, or where it is -
//
// Exit status: 0 done, 1 the stream carried an error or was cut, 2 wrong usage.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"

	"deltawire"
	"deltawire/internal/lines"
)

func main() {
	var dialect deltawire.Dialect
	flag.TextVar(&dialect, "dialect", deltawire.Auto, "the provider's wire `format`")
	size := flag.Int("chunk-size", 64*1024, "read at most `N` bytes at a time")
	flag.Parse()
	file := os.Stdin
	if flag.NArg() == 1 && flag.Arg(0) != "-" {
		var err error
		if file, err = os.Open(flag.Arg(0)); err != nil {
			fmt.Fprintf(os.Stderr, "deltas: %v\n", err)
			os.Exit(2)
		}
	}
	if flag.NArg() > 1 || *size < 1 {
		flag.Usage()
		os.Exit(2)
	}
	isDone, err := run(file, *size, dialect)
	if err != nil {
		fmt.Fprintf(os.Stderr, "deltas: %v\n", err)
	}
	if err != nil || !isDone {
		os.Exit(1)
	}
}

// run says whether the stream is complete and carried no error.
func run(file io.Reader, size int, dialect deltawire.Dialect) (bool, error) {
	decoder, err := deltawire.Options{Dialect: dialect}.NewDecoder()
	if err != nil {
		return false, err
	}
	defer decoder.Close()
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()

	isFaulty := false
	print := func(deltas iter.Seq2[deltawire.Delta, error]) error {
		for delta, err := range deltas {
			var ofEvent *deltawire.EventError
			switch {
			case errors.As(err, &ofEvent):
				// The stream goes on behind an event that cannot be read.
				fmt.Fprintf(os.Stderr, "deltas: %v\n", err)
				isFaulty = true
			case err != nil:
				return err
			default:
				isFaulty = isFaulty || delta.Kind == deltawire.KindError
				out.Write(lines.Append(nil, &delta))
			}
		}
		// Whoever reads along shall not wait for what is known.
		return out.Flush()
	}
	chunk := make([]byte, size)
	for {
		n, err := file.Read(chunk)
		if failed := print(decoder.Feed(chunk[:n])); failed != nil {
			return false, failed
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return false, err
		}
	}
	if err := print(decoder.Finish()); err != nil {
		return false, err
	}
	end := decoder.End()
	_, err = out.Write(lines.AppendEnd(nil, end))
	return !isFaulty && end == deltawire.Complete, err
}
