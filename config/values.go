package config

import (
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What texts look like.
const (
	idPattern       = `^[\p{Ll}\p{N}][\p{Ll}\p{N}._-]{0,63}$`
	languagePattern = `^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`
	hostPattern     = `^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$`
	percentPattern  = `^[0-9]{1,2}(\.[0-9]+)?%$`
)

var (
	idRegexp       = regexp.MustCompile(idPattern)
	languageRegexp = regexp.MustCompile(languagePattern)
	hostRegexp     = regexp.MustCompile(hostPattern)
	percentRegexp  = regexp.MustCompile(percentPattern)
)

// maxText bounds one text, in bytes.
const maxText = 256 << 10

// text is any text that says something.
func text() shape[string] {
	s := scalar(schema{"type": []string{"string", "number"}}, func(v string) (string, error) {
		switch {
		case strings.TrimSpace(v) == "":
			return "", errors.New("is empty: say something, or leave the key out")
		case len(v) > maxText:
			return "", fmt.Errorf("%d bytes long, at most %d", len(v), maxText)
		}
		return v, nil
	})
	return s.then(func(n node, _ *string) {
		if n.Tag == "!!bool" {
			n.fault("this is %s, a text is needed: put it in quotes", n.what())
		}
	})
}

// line is a text of one line.
func line() shape[string] {
	return text().then(func(n node, v *string) {
		if strings.ContainsAny(*v, "\r\n") {
			n.fault("several lines where one is needed")
		}
	})
}

// id is a name that others refer to, and that nothing else of its sort has.
func id(what noun) shape[string] { return define(what, idText()) }

// idText is what such a name looks like.
func idText() shape[string] {
	return scalar(schema{"type": []string{"string", "number"}, "pattern": idPattern}, func(v string) (string, error) {
		if !idRegexp.MatchString(v) {
			return "", fmt.Errorf("%s is no name: small letters, digits and . _ - in between, at most 64", quote(v))
		}
		return v, nil
	})
}

// languageCode is a BCP 47 tag.
func languageCode() shape[Language] {
	return scalar(schema{"type": "string", "pattern": languagePattern}, func(v string) (Language, error) {
		if !languageRegexp.MatchString(v) {
			return "", fmt.Errorf("%s is no language: a BCP 47 tag like ca, es, oc-aranes", quote(v))
		}
		return Language(v), nil
	})
}

// translated is a text that is needed in every language offered.
func translated() shape[Text] {
	return texts().later(func(n node, t Text, c *Config) {
		for _, l := range c.Languages.Offered {
			if l != "" && t != nil && t[l] == "" {
				n.fault("is missing in %s, which is offered to citizens", l)
			}
		}
	})
}

// texts is a text in some languages. One that is not offered would never be read.
func texts() shape[Text] {
	return shape[Text]{func(n node, into *Text) {
		dict(usedLanguage(), text()).read(n, (*map[Language]string)(into))
	}, dict(languageCode(), text()).named("text").schema}
}

// usedLanguage is the language of words; a warning tells when it is not offered.
func usedLanguage() shape[Language] {
	return languageCode().later(func(n node, l Language, _ *Config) {
		offered := slices.Collect(maps.Keys(n.r.defined[aLanguage]))
		if l != "" && len(offered) > 0 && !slices.Contains(offered, string(l)) {
			n.warn("%s is not among languages.offered, so this is never used%s", l, suggest(string(l), offered))
		}
	})
}

// address is an addr-spec (RFC 5322 section 3.4.1) that nobody else has.
func address() shape[string] {
	s := scalar(schema{"type": "string", "format": "email"}, func(v string) (string, error) {
		a, err := mail.ParseAddress(v)
		if err == nil && a.Name == "" && a.Address == v && !strings.ContainsAny(v, "\"<>[] ") {
			if hostRegexp.MatchString(v[strings.LastIndexByte(v, '@')+1:]) {
				return v, nil
			}
		}
		return "", fmt.Errorf("%s is no mail address: name@domain is needed, and nothing else", quote(v))
	})
	return s.then(func(n node, v *string) {
		if *v != "" {
			n.define(anAddress, strings.ToLower(*v))
		}
	})
}

// host is a name or an IP address.
func host() shape[string] {
	return scalar(schema{"type": "string"}, func(v string) (string, error) {
		if _, err := netip.ParseAddr(v); err == nil || len(v) < 254 && hostRegexp.MatchString(v) {
			return v, nil
		}
		return "", fmt.Errorf("%s is no host: a name like mail.example.org or an IP address, without port", quote(v))
	})
}

// whole is a number without fraction, least to most.
func whole(least, most int) shape[int] {
	return scalar(schema{"type": "integer", "minimum": least, "maximum": most}, func(v string) (int, error) {
		n, err := strconv.Atoi(v)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("%s: a whole number from %d to %d is needed", quote(v), least, most)
		}
		return n, nil
	})
}

// decimal is a number, least to most.
func decimal(least, most float64) shape[float64] {
	return scalar(schema{"type": "number", "minimum": least, "maximum": most}, func(v string) (float64, error) {
		x, err := strconv.ParseFloat(v, 64)
		if err != nil || !(x >= least && x <= most) {
			return 0, fmt.Errorf("%s: a number from %g to %g is needed", quote(v), least, most)
		}
		return x, nil
	})
}

// share is a part of a whole, "80%".
func share() shape[float64] {
	return scalar(schema{"type": "string", "pattern": percentPattern}, func(v string) (float64, error) {
		x, err := strconv.ParseFloat(strings.TrimSuffix(v, "%"), 64)
		if err != nil || !percentRegexp.MatchString(v) || x == 0 {
			return 0, fmt.Errorf("%s: a share like 80%% is needed, above 0%% and below 100%%", quote(v))
		}
		return x / 100, nil
	})
}

// truth is true or false.
func truth() shape[bool] {
	return scalar(schema{"type": "boolean"}, func(v string) (bool, error) {
		if v != "true" && v != "false" {
			return false, fmt.Errorf("%s: true or false is needed", quote(v))
		}
		return v == "true", nil
	})
}

// term is a committed time.
func term() shape[Term] {
	const pattern = `^[0-9]+ +(hours?|(working|calendar) +days?|months?)$`
	return scalar(schema{"type": "string", "pattern": pattern}, ParseTerm).then(func(n node, t *Term) {
		if t.Unit == Hours && t.N > 24 {
			n.warn("a term in hours has at most 24 (Ley 39/2015 art. 30.1): say working days")
		}
	})
}
