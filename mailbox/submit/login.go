package submit

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/textproto"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/wneessen/go-mail/smtp"

	"github.com/bustia/bustia/mailbox/login"
)

// login takes the first mechanism that both sides know. Whether the line is safe has been seen to: an
// administrator who says tls: none has said so in as many words.
func (c *connection) login(ctx context.Context, credentials login.Credentials) error {
	_, offered := c.client.Extension("AUTH")
	offers := func(mechanism string) bool {
		return slices.ContainsFunc(strings.Fields(offered), func(name string) bool { return strings.EqualFold(name, mechanism) })
	}
	attempt, err := credentials.Begin(ctx, offers)
	if errors.Is(err, login.ErrNotOffered) {
		username, password, ok := credentials.Password()
		switch {
		case ok && offers("SCRAM-SHA-256"):
			return c.client.Auth(smtp.ScramSHA256Auth(username, password))
		case ok && offers("CRAM-MD5"):
			return c.client.Auth(smtp.CRAMMD5Auth(username, password))
		}
		return fmt.Errorf("%w; it offers %q", err, offered)
	}
	if err != nil {
		return err
	}
	err = c.client.Auth(&exchange{client: attempt})
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return err
	}
	reply.Msg = attempt.Scrub(reply.Msg)
	if reply.Code/100 != 5 { // RFC 4954 section 6: 454 is a temporary failure
		return err
	}
	return attempt.Refused(reply)
}

// exchange makes a SASL client what the SMTP library takes.
type exchange struct {
	client  sasl.Client
	waiting []byte // initial response that is still to be sent
}

func (e *exchange) Start(*smtp.ServerInfo) (mechanism string, initial []byte, err error) {
	const longest = 512 // RFC 5321 section 4.5.3.1.4; with its end
	mechanism, initial, err = e.client.Start()
	if len("AUTH  \r\n")+len(mechanism)+base64.StdEncoding.EncodedLen(len(initial)) > longest {
		// RFC 4954 section 4: it then goes on a line of its own, which may be longer. A token of
		// Microsoft's has two thousand bytes.
		e.waiting, initial = initial, nil
	}
	return mechanism, initial, err
}

func (e *exchange) Next(challenge []byte, more bool) (response []byte, err error) {
	if !more {
		return nil, nil
	}
	if e.waiting != nil {
		response, e.waiting = e.waiting, nil
		return response, nil
	}
	return e.client.Next(challenge)
}
