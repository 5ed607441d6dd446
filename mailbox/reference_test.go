package mailbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestNewReference(t *testing.T) {
	for _, c := range []struct {
		year, number int
		prefix       string
	}{
		{2026, 4217, "B-2026-004217-"},
		{2026, 0, "B-2026-000000-"},
		{2026, 999999, "B-2026-999999-"},
		{2026, 1000000, "B-2026-1000000-"},
		{2126, 123456789, "B-2126-123456789-"},
	} {
		got := NewReference(c.year, c.number)
		if !strings.HasPrefix(string(got), c.prefix) || len(got) != len(c.prefix)+1 {
			t.Errorf("NewReference(%d, %d): got %q, want %q and a digit", c.year, c.number, got, c.prefix)
		}
		if back, ok := ParseReference(string(got)); !ok || back != got {
			t.Errorf("ParseReference(%q): got %q, %v", got, back, ok)
		}
	}
}

// Every wrong digit and every pair of unlike neighbours swapped must fail, wherever they stand.
func TestReferenceCatchesTypos(t *testing.T) {
	for number := 0; number < 1100000; number += 997 {
		good := string(NewReference(2026, number))
		for i := range len(good) {
			if good[i] < '0' || good[i] > '9' {
				continue
			}
			for digit := byte('0'); digit <= '9'; digit++ {
				wrong := good[:i] + string(digit) + good[i+1:]
				if _, ok := ParseReference(wrong); ok && wrong != good {
					t.Fatalf("got %q accepted for %q", wrong, good)
				}
			}
			next := i + 1
			if next < len(good) && good[next] == '-' {
				next++
			}
			if next < len(good) {
				swapped := []byte(good)
				swapped[i], swapped[next] = swapped[next], swapped[i]
				if _, ok := ParseReference(string(swapped)); ok && string(swapped) != good {
					t.Fatalf("got %q accepted for %q", swapped, good)
				}
			}
		}
	}
}

func TestFindReference(t *testing.T) {
	want := NewReference(2026, 4217)
	check := want[len(want)-1:]
	for _, text := range []string{
		"B-2026-004217-#",
		"Re: [B-2026-004217-#] Fanal",
		"b-2026-004217-#",
		"B 2026 004217 #",
		"B‑2026‑004217‑#",
		"B–2026–004217–#",
		"B−2026−004217−#",
		"B - 2026 - 004217 - #",
		"B\u00a0-\u00a02026-004217-#",
		"B-2026-\r\n 004217-#",
		"B-\u200b2026-004217-#",
		"B2026-004217-#",
		"el cas B-2026-004217-#.",
		"B-2026-004218-# o B-2026-004217-#",
	} {
		text = strings.ReplaceAll(text, "#", string(check))
		if got, ok := FindReference(text); !ok || got != want {
			t.Errorf("FindReference(%q): got %q, %v, want %q", text, got, ok, want)
		}
	}
	wrong := fmt.Sprint((int(check[0]-'0') + 1) % 10)
	for _, text := range []string{
		"", "B-2026", "AB-2026-004217-#", "B-2026-004217-#1", "B-2026-004217-" + wrong, "B-2026-04217-#", "X 2026-004217-#",
		"B-2026-0004217-#", "B--------2026-004217-#", "B-2026004217#",
	} {
		text = strings.ReplaceAll(text, "#", string(check))
		if got, ok := FindReference(text); ok {
			t.Errorf("FindReference(%q): got %q, want none", text, got)
		}
	}
	if got, ok := ParseReference("cas " + string(want)); ok {
		t.Errorf("ParseReference takes what stands beside: got %q", got)
	}
}

func TestFindReferences(t *testing.T) {
	got := FindReferences("B-2026-004217-5, b 2026 004217 5, B-2026-004217-8 and " + string(NewReference(2026, 1)))
	want := []Reference{NewReference(2026, 4217), NewReference(2026, 4217), NewReference(2026, 1)}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
