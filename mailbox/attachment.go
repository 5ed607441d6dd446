package mailbox

import (
	"bytes"
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFilename is the longest file name given on, in bytes, as most file systems have it.
const maxFilename = 200

// cleanFilename makes a stranger's file name safe to write and to show: no directory, no control
// characters, none that turn the writing direction so that the extension seems another.
func cleanFilename(name string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, name)
	name = strings.Trim(name, " .\t\"")
	if len(name) <= maxFilename {
		return name
	}
	extension := path.Ext(name)
	if len(extension) > 20 {
		extension = ""
	}
	cut := maxFilename - len(extension)
	for cut > 0 && !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + extension
}

// extensions are the file name extensions of the media types that come without a name.
var extensions = map[string]string{
	"application/pdf":               ".pdf",
	"application/msword":            ".doc",
	"application/zip":               ".zip",
	"application/pgp-signature":     ".asc",
	"application/pkcs7-mime":        ".p7m",
	"application/pkcs7-signature":   ".p7s",
	"application/x-pkcs7-mime":      ".p7m",
	"application/x-pkcs7-signature": ".p7s",
	"application/ms-tnef":           ".dat",
	"application/xml":               ".xml",
	"audio/mpeg":                    ".mp3",
	"audio/ogg":                     ".ogg",
	"image/bmp":                     ".bmp",
	"image/gif":                     ".gif",
	"image/heic":                    ".heic",
	"image/jpeg":                    ".jpg",
	"image/jpg":                     ".jpg",
	"image/png":                     ".png",
	"image/svg+xml":                 ".svg",
	"image/tiff":                    ".tif",
	"image/webp":                    ".webp",
	"message/global":                ".eml",
	"message/rfc822":                ".eml",
	"text/calendar":                 ".ics",
	"text/csv":                      ".csv",
	"text/html":                     ".html",
	"text/plain":                    ".txt",
	"text/vcard":                    ".vcf",
	"text/x-vcard":                  ".vcf",
	"video/mp4":                     ".mp4",
}

// madeFilename names the nth attachment when the mail does not.
func madeFilename(mediaType string, n int) string {
	extension := extensions[mediaType]
	if extension == "" {
		extension = ".bin"
	}
	return fmt.Sprintf("attachment-%d%s", n, extension)
}

// Attachments returns what the mail carries as files, in order: every part that is neither body nor
// machinery of the mail. A message inside the mail is one file, with all it holds. Images the
// HTML shows in its text are no attachments; a winmail.dat is left as it is.
func (m *Message) Attachments() []Attachment {
	shown := m.shownImages()
	return m.files(func(part *Part) bool { return isAttached(part) && !shown[part] })
}

// Pictures returns the images that the HTML shows in its text, in order.
func (m *Message) Pictures() []Attachment {
	shown := m.shownImages()
	return m.files(func(part *Part) bool { return shown[part] })
}

// files returns the parts wanted as files, named.
func (m *Message) files(wanted func(*Part) bool) []Attachment {
	var files []Attachment
	m.Walk(func(part *Part) bool {
		if isMultipart(part) {
			return true
		}
		if wanted(part) {
			name := part.Filename
			if name == "" {
				name = madeFilename(part.MediaType, len(files)+1)
			}
			files = append(files, Attachment{Filename: name, MediaType: part.MediaType, Body: part.Body})
		}
		return !isMessage(part)
	})
	return files
}

// isAttached reports whether a part that holds no other is a file.
func isAttached(part *Part) bool {
	if part.Disposition == "attachment" || part.Filename != "" {
		return true
	}
	switch part.MediaType {
	case "text/plain", "text/html", "text/markdown", "text/x-markdown", "text/enriched", "text/x-amp-html", "text/rfc822-headers",
		"message/delivery-status", "message/global-delivery-status", "message/disposition-notification", "message/feedback-report",
		"application/pgp-encrypted":
		return false
	}
	return true
}

// shownImages returns the images that the HTML of the body shows by their Content-ID (RFC 2392).
func (m *Message) shownImages() map[*Part]bool {
	shown := make(map[*Part]bool)
	_, html := m.Body()
	if html == nil {
		return shown
	}
	shownIDs := contentIDs(html.Body)
	m.Walk(func(part *Part) bool {
		if strings.HasPrefix(part.MediaType, "image/") && part.ContentID != "" && shownIDs[part.ContentID] {
			shown[part] = true
		}
		return !isMessage(part)
	})
	return shown
}

// contentIDs returns the Content-IDs a page shows.
func contentIDs(page []byte) map[string]bool {
	ids := make(map[string]bool)
	for len(ids) < maxParts { // there are no more parts to show
		_, after, ok := bytes.Cut(page, []byte("cid:"))
		if !ok {
			break
		}
		id := after[:min(len(after), 300)]
		if end := bytes.IndexAny(id, "\"' \t\r\n>)"); end >= 0 {
			id = id[:end]
		}
		ids[string(decodePercent(string(id)))] = true
		page = after
	}
	return ids
}
