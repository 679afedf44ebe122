package deltawire

import (
	"context"
	"runtime"
	"testing"
	"time"
)

// Each is made and dropped 10,000 times without Close.
func TestWhatIsDroppedWithoutCloseIsFreed(t *testing.T) {
	client, err := NewClient(ClientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for name, drop := range map[string]func() error{
		"decoder": func() error {
			decoder, err := NewDecoder()
			if err == nil {
				_, err = decoder.Write([]byte("data: x\n\n"))
			}
			return err
		},
		"message": func() error { _, err := NewMessage(); return err },
		"stream": func() error {
			_, err := client.Stream(ctx, Request{Model: "m"})
			return err
		},
	} {
		before := handles.Load()
		highest := int64(0)
		for at := range 10_000 {
			if err := drop(); err != nil {
				t.Fatal(name, err)
			}
			highest = max(highest, handles.Load()-before)
			if at%1000 == 0 {
				runtime.GC()
			}
		}
		for wait := 0; handles.Load() > before && wait < 500; wait++ {
			runtime.GC()
			time.Sleep(10 * time.Millisecond)
		}
		if left := handles.Load() - before; left != 0 || highest == 0 {
			t.Errorf("%d of 10,000 %ss are left, %d at most were there", left, name, highest)
		}
	}
}
