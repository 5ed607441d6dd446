package mailbox

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A photo pasted into the text is no attachment, yet whoever treats the case must get to see it.
func TestPictures(t *testing.T) {
	raw := strings.ReplaceAll(`From: a@example.org
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/related; boundary=r

--r
Content-Type: text/html

<p>The hole in the road:</p><img src="cid:photo@example.org">
--r
Content-Type: image/png
Content-ID: <photo@example.org>

PNG
--r--
--m
Content-Type: application/pdf; name="form.pdf"
Content-Disposition: attachment

PDF
--m--
`, "\n", "\r\n")
	names := func(files []Attachment) []string {
		var all []string
		for _, f := range files {
			all = append(all, f.Filename)
		}
		return all
	}
	m := Parse([]byte(raw))
	if diff := cmp.Diff([]string{"form.pdf"}, names(m.Attachments())); diff != "" {
		t.Errorf("attachments (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"attachment-1.png"}, names(m.Pictures())); diff != "" {
		t.Errorf("pictures (-want +got):\n%s", diff)
	}
}
