package mailbox

import "strings"

// parseMessageIDs reads the msg-ids of a Message-ID, In-Reply-To or References: what stands between
// angle brackets, whatever is around them. Without any bracket, the words with an "@" are taken.
func parseMessageIDs(value string) []MessageID {
	var ids []MessageID
	for rest := value; ; {
		_, after, ok := strings.Cut(rest, "<")
		if !ok {
			break
		}
		end := strings.IndexAny(after, "<>")
		if end < 0 {
			end = len(after)
		}
		if id := cleanMessageID(after[:end]); id != "" {
			ids = append(ids, id)
		}
		rest = after[end:]
	}
	if ids != nil || strings.Contains(value, "<") {
		return ids
	}
	for _, word := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t,;>\"()", r) }) {
		if strings.Contains(word, "@") {
			ids = append(ids, cleanMessageID(word))
		}
	}
	return ids
}

// cleanMessageID takes out the white space that folding left inside a msg-id.
func cleanMessageID(s string) MessageID {
	return MessageID(strings.Join(strings.Fields(s), ""))
}

// ownMessageID reads a Message-ID field; one that is a bare word is taken as it is.
func ownMessageID(value string) MessageID {
	if ids := parseMessageIDs(value); len(ids) > 0 {
		return ids[0]
	}
	return cleanMessageID(strings.Trim(value, "<> "))
}

// allMessageIDs returns the msg-ids of every field called name.
func allMessageIDs(h Header, name string) []MessageID {
	var ids []MessageID
	for _, value := range h.Values(name) {
		ids = append(ids, parseMessageIDs(value)...)
	}
	return ids
}
