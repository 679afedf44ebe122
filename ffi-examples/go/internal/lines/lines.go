// Package lines writes deltas as the command `deltawire deltas` prints them: a JSON object a line, keys in
// a fixed order, absent ones left out, no spaces, non-ASCII as it is.
package lines

import (
	"strconv"
	"unicode/utf8"

	"deltawire"
)

// Append appends the line of a delta.
func Append(line []byte, delta *deltawire.Delta) []byte {
	line = append(line, `{"type":"`...)
	line = append(line, delta.Kind.String()...)
	line = append(line, '"')
	switch delta.Kind {
	case deltawire.KindStart:
		line = some(line, "id", delta.ID)
		line = some(line, "model", delta.Model)
		line = some(line, "role", delta.Role)
	case deltawire.KindText, deltawire.KindReasoning, deltawire.KindRefusal:
		line = number(line, "choice", int64(delta.Choice))
		line = text(line, "text", delta.Text)
	case deltawire.KindToolCallStart, deltawire.KindServerToolCallStart:
		line = number(line, "choice", int64(delta.Choice))
		line = number(line, "index", int64(delta.Index))
		line = some(line, "id", delta.ID)
		line = some(line, "name", delta.Name)
	case deltawire.KindToolCallArguments, deltawire.KindServerToolCallArguments:
		line = number(line, "choice", int64(delta.Choice))
		line = number(line, "index", int64(delta.Index))
		line = text(line, "fragment", delta.Text)
		if delta.Whole {
			line = append(line, `,"whole":true`...)
		}
	case deltawire.KindFinish:
		line = number(line, "choice", int64(delta.Choice))
		line = text(line, "reason", delta.FinishReason.String())
		line = text(line, "raw", delta.Raw)
	case deltawire.KindUsage:
		line = count(line, "input_tokens", delta.Usage.InputTokens)
		line = count(line, "output_tokens", delta.Usage.OutputTokens)
		line = count(line, "total_tokens", delta.Usage.TotalTokens)
		line = count(line, "cached_tokens", delta.Usage.CachedTokens)
		line = count(line, "cache_creation_tokens", delta.Usage.CacheCreationTokens)
		line = count(line, "reasoning_tokens", delta.Usage.ReasoningTokens)
	case deltawire.KindError:
		line = text(line, "kind", delta.ErrorKind.String())
		line = some(line, "code", delta.Code)
		line = text(line, "message", delta.Text)
		line = append(line, `,"transient":`...)
		line = strconv.AppendBool(line, delta.Transient)
	case deltawire.KindOther:
		line = text(line, "event", delta.Name)
		line = text(line, "raw", delta.Raw)
	}
	return append(line, "}\n"...)
}

// AppendEnd appends the last line.
func AppendEnd(line []byte, end deltawire.End) []byte {
	line = append(line, `{"type":"end","complete":`...)
	line = strconv.AppendBool(line, end == deltawire.Complete)
	return append(line, "}\n"...)
}

func key(line []byte, key string) []byte {
	line = append(line, `,"`...)
	line = append(line, key...)
	return append(line, `":`...)
}

func number(line []byte, name string, value int64) []byte {
	return strconv.AppendInt(key(line, name), value, 10)
}

func count(line []byte, name string, value *uint64) []byte {
	if value == nil {
		return line
	}
	return strconv.AppendUint(key(line, name), *value, 10)
}

// some is text that is left out where the provider gave nothing.
func some(line []byte, name, value string) []byte {
	if value == "" {
		return line
	}
	return text(line, name, value)
}

// text appends a JSON string. encoding/json would escape more than JSON wants. What is not UTF-8, which
// only Raw can be, shows as U+FFFD, one for each beginning of a character that does not go on.
func text(line []byte, name, value string) []byte {
	line = append(key(line, name), '"')
	for at := 0; at < len(value); {
		char, size := utf8.DecodeRuneInString(value[at:])
		switch {
		case char == utf8.RuneError && size == 1:
			size = begun(value[at:])
			line = append(line, "\uFFFD"...)
		case char == '"' || char == '\\':
			line = append(line, '\\', byte(char))
		case char == '\n':
			line = append(line, `\n`...)
		case char == '\r':
			line = append(line, `\r`...)
		case char == '\t':
			line = append(line, `\t`...)
		case char == '\b':
			line = append(line, `\b`...)
		case char == '\f':
			line = append(line, `\f`...)
		case char < ' ':
			const digits = "0123456789abcdef"
			line = append(line, `\u00`...)
			line = append(line, digits[char>>4], digits[char&15])
		default:
			line = append(line, value[at:at+size]...)
		}
		at += size
	}
	return append(line, '"')
}

// begun says how many bytes at the start of text are the longest beginning that a UTF-8 character could
// have, 1 where there is none.
func begun(text string) int {
	for len := min(3, len(text)); len > 1; len-- {
		if !utf8.FullRuneInString(text[:len]) {
			return len
		}
	}
	return 1
}
