package config

import "testing"

func TestParseSize(t *testing.T) {
	check := func(in string, want Size, wantErr string) {
		t.Helper()
		got, err := ParseSize(in)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got != want || text != wantErr {
			t.Errorf("%q: got %d %q, want %d %q", in, got, text, want, wantErr)
		}
	}
	check("30 MB", 30<<20, "")
	check(" 1  MB ", 1<<20, "")
	check("500 KB", 500<<10, "")
	check("0 MB", 0, "")
	check("2147483647 MB", 2147483647<<20, "")
	check("30", 0, `"30" has no unit we know: say "30 MB" or "500 KB"`)
	check("30MB", 0, `"30MB" is no size: say "30 MB" or "500 KB"`)
	check("30 GB", 0, `"30 GB" has no unit we know: say "30 MB" or "500 KB"`)
	check("-1 MB", 0, `"-1 MB" is no size: say "30 MB" or "500 KB"`)
	check("+1 MB", 0, `"+1 MB" is no size: say "30 MB" or "500 KB"`)
	check("99999999999 MB", 0, `"99999999999 MB" is no size: say "30 MB" or "500 KB"`)
	check("", 0, `"" is no size: say "30 MB" or "500 KB"`)
}

func TestSizeString(t *testing.T) {
	for in, want := range map[Size]string{30 << 20: "30 MB", 1 << 20: "1 MB", 1536 << 10: "1536 KB", 64 << 10: "64 KB", 0: "0 KB"} {
		if got := in.String(); got != want {
			t.Errorf("%d: got %q, want %q", in, got, want)
		}
		if back, err := ParseSize(in.String()); err != nil || back != in {
			t.Errorf("%q reads as %d, %v", in, back, err)
		}
	}
}
