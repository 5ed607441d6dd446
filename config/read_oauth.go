package config

import (
	"errors"
	"net/url"
	"strings"
)

func oauth() shape[OAuth] {
	return objectWith(checkOAuth,
		key("mechanism", "xoauth2 (Microsoft 365, Google) or oauthbearer (RFC 7628); default xoauth2", oneOf(XOAUTH2, OAuthBearer), func(o *OAuth) *string { return &o.Mechanism }),
		must("token_url", "the token endpoint, https://…", tokenURL(), func(o *OAuth) *string { return &o.TokenURL }),
		must("client_id", "the application's", line(), func(o *OAuth) *string { return &o.ClientID }),
		key("client_secret_file", "file that holds the application's secret, from the configuration's directory", secretFile("client secret"), func(o *OAuth) *Secret { return &o.ClientSecret }),
		key("client_secret_env", "environment variable that holds the application's secret", secretEnv("client secret"), func(o *OAuth) *Secret { return &o.ClientSecret }),
		key("refresh_token_file", "file that holds a refresh token; client credentials when there is none", secretFile("refresh token"), func(o *OAuth) *Secret { return &o.RefreshToken }),
		key("refresh_token_env", "environment variable that holds a refresh token; client credentials when there is none", secretEnv("refresh token"), func(o *OAuth) *Secret { return &o.RefreshToken }),
		key("scopes", "what the tokens are to be good for; Microsoft 365: [https://outlook.office365.com/.default]", list(scope()), func(o *OAuth) *[]string { return &o.Scopes }),
		forbiddenSecret("client_secret", "client secret"),
		forbiddenSecret("refresh_token", "refresh token"),
	).first(func(o *OAuth) { o.Mechanism = XOAUTH2 })
}

func forbiddenSecret(name, what string) field[OAuth] {
	return forbidden[OAuth](name, "a "+what+" does not belong in the configuration: name a file that holds it ("+name+"_file) or an environment variable ("+name+"_env)")
}

func checkOAuth(n node, _ *OAuth, said map[string]bool) {
	for _, name := range []string{"client_secret", "refresh_token"} {
		if said[name+"_file"] && said[name+"_env"] {
			n.fault("%[1]s_file and %[1]s_env: one of them is needed, not both", name)
		}
	}
	secret := said["client_secret_file"] || said["client_secret_env"] || said["client_secret"]
	refresh := said["refresh_token_file"] || said["refresh_token_env"] || said["refresh_token"]
	if !secret && !refresh { // a public client has a refresh token alone
		n.fault("nothing to get tokens with: say client_secret_file or client_secret_env, or a refresh token")
	}
}

// tokenURL is where secrets are sent to: nobody on the way may read them.
func tokenURL() shape[string] {
	return scalar(schema{"type": "string", "pattern": "^https?://"}, func(v string) (string, error) {
		u, err := url.Parse(v)
		switch {
		case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
			return "", errors.New("this is no web address: https://… is needed")
		case u.User != nil:
			return "", errors.New("a name or password in the address does not belong here: say client_id and client_secret_file")
		case u.Scheme == "http" && !loopback(u.Hostname()):
			return "", errors.New("http sends the client secret readable by anyone on the way: https://… is needed")
		}
		return v, nil
	})
}

// scope is one scope (RFC 6749 section 3.3).
func scope() shape[string] {
	return line().then(func(n node, v *string) {
		if strings.ContainsAny(*v, " \t\"\\") {
			n.fault("%s is no scope: a word is needed, and several in a list", quote(*v))
		}
	})
}
