package mailbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// Digest returns the SHA-256, in hexadecimal, of what the writer sent: Message-ID, From, Reply-To, Date
// and Subject, and the body as it came but for its line ends. Reply-To is who wrote when a web form
// sends for all of them: the same words of two in one second are two mails. Every field a server adds
// or rewrites on the way is left out, so the copies of one mail in several mailboxes have one digest,
// while two mails that share a Message-ID have two.
func Digest(m *Message, raw []byte) string {
	sum := sha256.New()
	for _, name := range []string{"Message-ID", "From", "Reply-To", "Date", "Subject"} {
		// White space is what folding again changes.
		fmt.Fprintf(sum, "%s:%q\n", name, strings.Join(strings.Fields(m.Header.Get(name)), " "))
	}
	entity, _ := stripPrelude(raw)
	_, body, _ := readHeader(entity)
	writeLines(sum, body)
	return hex.EncodeToString(sum.Sum(nil))
}

// writeLines writes b with its line ends all alike and without the empty lines at its end: servers
// change both.
func writeLines(w io.Writer, b []byte) {
	empty := 0 // lines held back until something follows them
	for len(b) > 0 {
		var line []byte
		line, b = cutLine(b)
		for len(line) > 0 && line[len(line)-1] == '\r' {
			line = line[:len(line)-1]
		}
		if len(line) == 0 {
			empty++
			continue
		}
		for ; empty > 0; empty-- {
			io.WriteString(w, "\n")
		}
		w.Write(line)
		io.WriteString(w, "\n")
	}
}
