package mailtest

import (
	"strings"

	"github.com/emersion/go-sasl"
)

const xoauth2 = "XOAUTH2"

// mechanisms are the ways to log in to either server.
func (s *Server) mechanisms() []string {
	known := []string{sasl.Plain, sasl.Login}
	if s.options.Token != nil {
		known = append(known, xoauth2, sasl.OAuthBearer)
	}
	return known
}

// exchange begins a login; nil when the mechanism is not known. login is told who has come in, and
// refusal is what the protocol says to who has not.
func (s *Server) exchange(mechanism string, login func(*user), refusal error) sasl.Server {
	password := func(username, password string) error {
		u := s.login(username, password)
		if u == nil {
			return refusal
		}
		login(u)
		return nil
	}
	token := func(username, token string) bool {
		u := s.user(username)
		if u == nil || !s.options.Token(username, token) {
			return false
		}
		login(u)
		return true
	}
	switch {
	case mechanism == sasl.Plain:
		return sasl.NewPlainServer(func(_, username, secret string) error { return password(username, secret) })
	case mechanism == sasl.Login:
		return &loginServer{login: password}
	case mechanism == xoauth2 && s.options.Token != nil:
		return &xoauth2Server{login: token, refusal: refusal}
	case mechanism == sasl.OAuthBearer && s.options.Token != nil:
		return refusing{sasl.NewOAuthBearerServer(func(o sasl.OAuthBearerOptions) *sasl.OAuthBearerError {
			if token(o.Username, o.Token) {
				return nil
			}
			return &sasl.OAuthBearerError{Status: "invalid_token", Schemes: "bearer"}
		}), refusal}
	}
	return nil
}

// refusing is a server that says no in the protocol's own words.
type refusing struct {
	sasl.Server
	refusal error
}

func (r refusing) Next(response []byte) (challenge []byte, done bool, err error) {
	if challenge, done, err = r.Server.Next(response); err != nil {
		err = r.refusal
	}
	return challenge, done, err
}

// loginServer is the server's half of AUTH LOGIN, which has no RFC: two prompts, name and password.
type loginServer struct {
	login    func(username, password string) error
	step     int
	username string
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	l.step++
	switch {
	case l.step == 1 && response == nil:
		return []byte("Username:"), false, nil
	case l.step == 1: // the name came with the command
		l.step++
		fallthrough
	case l.step == 2:
		l.username = string(response)
		return []byte("Password:"), false, nil
	case l.step == 3:
		return nil, true, l.login(l.username, string(response))
	}
	return nil, false, sasl.ErrUnexpectedClientResponse
}

// xoauth2Server is the server's half of XOAUTH2: one message, and to a refused one a challenge that
// says why, an empty answer, and then the no.
type xoauth2Server struct {
	login   func(username, token string) bool
	refusal error
	refused bool
}

func (x *xoauth2Server) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case x.refused && len(response) == 0:
		return nil, true, x.refusal
	case x.refused:
		return nil, true, sasl.ErrUnexpectedClientResponse
	case response == nil:
		return []byte{}, false, nil
	}
	username, rest, named := strings.Cut(strings.TrimPrefix(string(response), "user="), "\x01auth=Bearer ")
	token, ended := strings.CutSuffix(rest, "\x01\x01")
	if !named || !ended || !strings.HasPrefix(string(response), "user=") {
		return nil, true, x.refusal
	}
	if x.login(username, token) {
		return nil, true, nil
	}
	x.refused = true
	return []byte(`{"status":"400","schemes":"Bearer","scope":"https://mail.example.org/"}`), false, nil
}
