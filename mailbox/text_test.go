package mailbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each testdata/text/NAME.eml has a twin NAME.txt: "certain" or "uncertain", then the exact text.
func TestText(t *testing.T) {
	files, err := filepath.Glob("testdata/text/*.eml")
	if err != nil || len(files) < 35 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".eml"), func(t *testing.T) {
			got := Text(Parse(readFile(t, file)))
			sure := "uncertain"
			if got.Certain {
				sure = "certain"
			}
			want := string(readFile(t, strings.TrimSuffix(file, ".eml")+".txt"))
			if diff := cmp.Diff(strings.TrimRight(want, "\n"), strings.TrimRight(sure+"\n"+got.Text, "\n")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", got.Why, diff)
			}
			if got.Why == "" {
				t.Error("no reason given")
			}
		})
	}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
