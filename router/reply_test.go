package router

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func signer(t testing.TB, key string) *Signer {
	t.Helper()
	s, err := NewSigner([]byte(strings.Repeat(key, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSignedAddress(t *testing.T) {
	s := signer(t, "k")
	want := Token{ForAnswer, 4217, time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)}
	address := s.Address("bustia@example.cat", "+", want)
	if local, _, _ := strings.Cut(address, "@"); len(local) > 64 {
		t.Errorf("%s: local part is longer than RFC 5321 allows", address)
	}
	got, ok := s.Verify(strings.ToUpper(address), "bustia@example.cat", "+")
	if !ok || got != want {
		t.Errorf("got %+v %t, want %+v", got, ok, want)
	}
	forged := func(why, recipient, box string, by *Signer) {
		t.Helper()
		if got, ok := by.Verify(recipient, box, "+"); ok {
			t.Errorf("%s: %s was believed as %+v", why, recipient, got)
		}
	}
	forged("no token", "bustia@example.cat", "bustia@example.cat", s)
	forged("another mailbox", strings.Replace(address, "bustia+", "salut+", 1), "salut@example.cat", s)
	forged("another domain", strings.Replace(address, "example.cat", "example.org", 1), "bustia@example.cat", s)
	forged("another assignment", strings.Replace(address, "a395-", "a396-", 1), "bustia@example.cat", s)
	forged("another purpose", strings.Replace(address, "+a", "+n", 1), "bustia@example.cat", s)
	forged("another key", address, "bustia@example.cat", signer(t, "x"))
	forged("no signature", "bustia+a395-fq0-@example.cat", "bustia@example.cat", s)
}

// One byte changed anywhere makes an address worthless.
func TestSignedAddressTampered(t *testing.T) {
	s := signer(t, "k")
	rapid.Check(t, func(r *rapid.T) {
		token := Token{ForAnswer, rapid.Int64Range(1, 1<<40).Draw(r, "id"), time.Unix(86400*rapid.Int64Range(1, 40000).Draw(r, "day"), 0).UTC()}
		address := s.Address("bustia@example.cat", "+", token)
		if got, ok := s.Verify(address, "bustia@example.cat", "+"); !ok || got != token {
			r.Fatalf("%s: got %+v %t, want %+v", address, got, ok, token)
		}
		i := rapid.IntRange(len("bustia+"), strings.IndexByte(address, '@')-1).Draw(r, "at")
		c := rapid.SampledFrom([]byte("abcdefghijklmnopqrstuvwxyz0123456789-")).Draw(r, "byte")
		if address[i] == c {
			return
		}
		changed := address[:i] + string(c) + address[i+1:]
		if got, ok := s.Verify(changed, "bustia@example.cat", "+"); ok {
			r.Fatalf("%s: believed as %+v", changed, got)
		}
	})
}

func TestSignerNeedsAKey(t *testing.T) {
	if _, err := NewSigner([]byte("short")); err == nil {
		t.Error("a short key was taken")
	}
}
