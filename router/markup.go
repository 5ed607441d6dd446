package router

import (
	"bytes"
	"html/template"
	"regexp"
	"strings"
)

// bodyHTML turns the body of a rendered template into HTML, so that the text and its HTML twin
// cannot say different things. It knows paragraphs (parted by blank lines, line breaks kept),
// "## " headings, "- " items and "> " quotes, and makes links of web addresses. Everything else is
// escaped: what a citizen or an agent wrote is text, never markup.
func bodyHTML(body string) template.HTML {
	var b strings.Builder
	for _, block := range blocks(body) {
		switch lines := strings.Split(block, "\n"); {
		case len(lines) == 1 && strings.HasPrefix(block, "## "):
			b.WriteString("<h2 style=\"margin:1.4em 0 .4em;font-size:1.1em\">" + inline(block[3:]) + "</h2>\n")
		case every(lines, "- "):
			b.WriteString("<ul style=\"margin:0 0 1em;padding-left:1.4em\">\n")
			for _, l := range lines {
				b.WriteString("<li>" + inline(l[2:]) + "</li>\n")
			}
			b.WriteString("</ul>\n")
		case every(lines, ">"):
			b.WriteString("<blockquote style=\"margin:0 0 1em;padding-left:1em;border-left:3px solid #767676\">" + inlineLines(lines, ">") + "</blockquote>\n")
		default:
			b.WriteString("<p style=\"margin:0 0 1em\">" + inlineLines(lines, "") + "</p>\n")
		}
	}
	return template.HTML(b.String())
}

// bodyText is the text twin: the body as it is, its headings in capitals instead of marks, and one
// blank line where a template left several around what it had nothing to say of.
func bodyText(body string) string {
	var lines []string
	for l := range strings.SplitSeq(body, "\n") {
		if l == "" && len(lines) > 0 && lines[len(lines)-1] == "" {
			continue
		}
		if heading, ok := strings.CutPrefix(l, "## "); ok {
			l = strings.ToUpper(heading)
		}
		lines = append(lines, l)
	}
	return strings.Join(lines, "\n")
}

// blocks parts text at blank lines, and a list from the paragraph right above it.
func blocks(text string) []string {
	var all []string
	var block []string
	flush := func() {
		if len(block) > 0 {
			all = append(all, strings.Join(block, "\n"))
			block = nil
		}
	}
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		line = strings.TrimRight(line, " \t")
		switch {
		case line == "":
			flush()
			continue
		case len(block) > 0 && strings.HasPrefix(line, "- ") != strings.HasPrefix(block[0], "- "),
			strings.HasPrefix(line, "## "), len(block) > 0 && strings.HasPrefix(block[0], "## "):
			flush()
		}
		block = append(block, line)
	}
	flush()
	return all
}

func every(lines []string, prefix string) bool {
	for _, l := range lines {
		if !strings.HasPrefix(l, prefix) {
			return false
		}
	}
	return true
}

func inlineLines(lines []string, prefix string) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = inline(strings.TrimPrefix(strings.TrimPrefix(l, prefix), " "))
	}
	return strings.Join(out, "<br>\n")
}

var webAddress = regexp.MustCompile(`https?://[^\s<>"]*[^\s<>".,;:!?)\]]`)

// inline escapes a line and makes links of the web addresses in it.
func inline(line string) string {
	var b strings.Builder
	at := 0
	for _, m := range webAddress.FindAllStringIndex(line, -1) {
		url := template.HTMLEscapeString(line[m[0]:m[1]])
		b.WriteString(template.HTMLEscapeString(line[at:m[0]]) + `<a href="` + url + `">` + url + `</a>`)
		at = m[1]
	}
	b.WriteString(template.HTMLEscapeString(line[at:]))
	return b.String()
}

// frame is the one look of every mail: the organisation's header, the body, its footer. It holds
// without pictures, in dark mode and on a phone. Everything it needs is inline, the language too:
// webmail drops the head and the html element. It colours no words, so the reader's own colours go.
var frame = template.Must(template.New("frame").Parse(`<!DOCTYPE html>
<html lang="{{.Language}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{{.Title}}</title>
</head>
<body style="margin:0;padding:0">
<div lang="{{.Language}}" style="max-width:40em;margin:0 auto;padding:1em;font-family:Arial,Helvetica,sans-serif;font-size:16px;line-height:1.5;overflow-wrap:break-word;word-wrap:break-word">
{{with .Marker}}<p style="margin:0 0 1em;padding:0 0 .5em;border-bottom:1px dashed #767676;font-size:14px">{{.}}</p>
{{end}}{{with .Header}}<div>{{.}}</div>
{{end}}<div>
{{.Body}}</div>
{{with .Footer}}<div>{{.}}</div>
{{end}}</div>
</body>
</html>
`))

// page is what the frame shows.
type page struct {
	Language string
	Title    string
	Marker   string
	Header   template.HTML // the admin's own HTML, from the configuration
	Body     template.HTML
	Footer   template.HTML
}

func (p page) html() (string, error) {
	var b bytes.Buffer
	if err := frame.Execute(&b, p); err != nil {
		return "", err
	}
	return b.String(), nil
}
