package config

import (
	"regexp"
	"strings"
)

// maxSecret bounds a secret, in bytes.
const maxSecret = 4096

// secretFile reads the secret a file holds. What the key says is never shown: people write the secret
// itself there. what is what sort of secret it is.
func secretFile(what string) shape[Secret] {
	return shape[Secret]{func(n node, into *Secret) {
		name, ok := n.scalar()
		if !ok {
			return
		}
		data, err := n.r.env.ReadFile(name)
		if err != nil {
			n.fault("the file named here cannot be read: %s", reason(err))
			return
		}
		n.secret(strings.TrimRight(string(data), "\r\n"), what, "the file named here", into)
	}, schema{"type": "string"}}
}

var envRegexp = regexp.MustCompile(envPattern)

const envPattern = `^[A-Z_][A-Z0-9_]*$`

// secretEnv reads the secret an environment variable holds.
func secretEnv(what string) shape[Secret] {
	return shape[Secret]{func(n node, into *Secret) {
		name, ok := n.scalar()
		if !ok {
			return
		}
		if !envRegexp.MatchString(name) {
			n.fault("this is no name of an environment variable: capital letters, digits and _ are")
			return
		}
		n.secret(n.r.env.Getenv(name), what, "the environment variable named here", into)
	}, schema{"type": "string", "pattern": envPattern}}
}

func (n node) secret(v, what, where string, into *Secret) {
	switch {
	case v == "":
		n.fault("%s is empty or not there", where)
	case len(v) > maxSecret || strings.ContainsAny(v, "\x00\r\n"):
		n.fault("%s holds no %s: one line of at most %d bytes is needed", where, what, maxSecret)
	default:
		*into = NewSecret(v)
	}
}
