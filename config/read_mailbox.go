package config

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

const (
	defaultThreshold  = 0.5
	defaultSubaddress = "+"
	defaultPoll       = "*/5 * * * *"
	defaultFolder     = "INBOX"
)

func mailbox() shape[Mailbox] {
	return objectWith(checkIntake,
		must("name", "how commands and rules name it", id(aMailbox), func(m *Mailbox) *string { return &m.Name }),
		must("address", "where citizens write", address(), func(m *Mailbox) *string { return &m.Address }),
		key("aliases", "further addresses delivered here", list(address()), func(m *Mailbox) *[]string { return &m.Aliases }),
		must("kind", "corporate (the common door) or specific (one department's own)", oneOf(Corporate, Specific), func(m *Mailbox) *string { return &m.Kind }),
		must("organisation", "whose it is", ref[string](anOrganisation), func(m *Mailbox) *string { return &m.Organisation }),
		must("circuit", "how its cases are treated", ref[string](aCircuit), func(m *Mailbox) *string { return &m.Circuit }),
		key("language", "when the language of a mail is not sure; default languages.default", ref[Language](aLanguage), func(m *Mailbox) *Language { return &m.Language }),
		key("threshold", "confidence below which a person files the mail; default 0.5", decimal(0, 1), func(m *Mailbox) *float64 { return &m.Threshold }),
		key("subaddress", "separator before the signed part of a reply address; default +", oneOf("+", "-", "=", "_"), func(m *Mailbox) *string { return &m.Subaddress }),
		key("authserv_id", "whose Authentication-Results are believed (RFC 8601); nobody's when not said", host(), func(m *Mailbox) *string { return &m.AuthservID }),
		key("poll", "cron spec of the look under IDLE; default */5 * * * *", cronSpec(), func(m *Mailbox) *string { return &m.Poll }),
		key("max_size", "of a larger mail only the header section is taken in; default 30 MB", size(leastMaxSize, mostMaxSize), func(m *Mailbox) *Size { return &m.MaxSize }),
		key("since", "of what a folder holds when it is first opened, mail received before this day is not treated", since(), func(m *Mailbox) *Date { return &m.Since }),
		key("archive", "keep the mail that is too old for since, or without since all that a folder holds when it is first opened, and treat none of it; default false", truth(), func(m *Mailbox) *bool { return &m.Archive }),
		key("after", "what is done to a mail on the server once it is ours: keep, flag ($Bustia), seen or {move: FOLDER}; default keep", after(), func(m *Mailbox) *After { return &m.After }),
		must("imap", "the way in", imapServer(), func(m *Mailbox) *Server { return &m.IMAP }),
		must("smtp", "the way out", smtpServer(), func(m *Mailbox) *Server { return &m.SMTP }),
	).first(func(m *Mailbox) {
		m.Threshold, m.Subaddress, m.Poll = defaultThreshold, defaultSubaddress, defaultPoll
		m.MaxSize, m.After.Do = defaultMaxSize, Keep
	})
}

func cronSpec() shape[string] {
	return scalar(schema{"type": "string"}, func(v string) (string, error) {
		_, err := ParseCron(v)
		return v, err
	})
}

func imapServer() shape[Server] {
	folder := key("folder", "the only folder that is read; default INBOX", folderName(), func(s *Server) *string { return &s.Folder })
	folders := key("folders", "all folders that are read", severalFolders(), func(s *Server) *[]string { return &s.Folders })
	username := must("username", "to log in with", line(), func(s *Server) *string { return &s.Username })
	return server(append(serverFields(), username, folder, folders)...).
		first(func(s *Server) { s.TLS, s.Folder = TLS, defaultFolder }).
		then(func(_ node, s *Server) {
			s.Port = orPort(s, 993, 143, 143)
			if len(s.Folders) == 0 {
				s.Folders = []string{s.Folder}
			}
			s.Folder = s.Folders[0]
		})
}

func smtpServer() shape[Server] {
	username := key("username", "to log in with; no login when not said", line(), func(s *Server) *string { return &s.Username })
	return server(append(serverFields(), username)...).
		first(func(s *Server) { s.TLS = TLS }).
		then(func(_ node, s *Server) { s.Port = orPort(s, 465, 587, 587) })
}

// orPort is the port said, or else the usual one for how the connection is protected.
func orPort(s *Server, tls, startTLS, plain int) int {
	switch {
	case s.Port != 0:
		return s.Port
	case s.TLS == StartTLS:
		return startTLS
	case s.TLS == Plain:
		return plain
	}
	return tls
}

func serverFields() []field[Server] {
	return []field[Server]{
		must("host", "name or IP address", host(), func(s *Server) *string { return &s.Host }),
		key("port", "default 993 or 143 (IMAP), 465 or 587 (SMTP), as tls says", whole(1, 65535), func(s *Server) *int { return &s.Port }),
		key("tls", "tls (from the first byte), starttls (refused when not offered) or none (loopback only); default tls", oneOf(TLS, StartTLS, Plain), func(s *Server) *string { return &s.TLS }),
		key("ca_file", "PEM file of a private authority; the system's when empty", caFile(), func(s *Server) *string { return &s.CAFile }),
		key("password_file", "file that holds the password, from the configuration's directory", secretFile("password"), func(s *Server) *Secret { return &s.Password }),
		key("password_env", "environment variable that holds the password", secretEnv("password"), func(s *Server) *Secret { return &s.Password }),
		key("oauth", "instead of a password: tokens of OAuth 2, which Microsoft 365 and Google want", optional(oauth()), func(s *Server) **OAuth { return &s.OAuth }),
		forbidden[Server]("password", "a password does not belong in the configuration: name a file that holds it (password_file) or an environment variable (password_env)"),
	}
}

func server(fields ...field[Server]) shape[Server] {
	return objectWith(func(n node, s *Server, said map[string]bool) {
		file, env, oauth := said["password_file"], said["password_env"], said["oauth"]
		switch login := said["username"]; {
		case oauth && (file || env):
			n.fault("a password and oauth: one of them is needed, not both")
		case file && env:
			n.fault("password_file and password_env: one of them is needed, not both")
		case login && !file && !env && !oauth && !said["password"]:
			n.fault("username without a password: say password_file, password_env or oauth")
		case !login && (file || env):
			n.fault("a password without username")
		case !login && oauth:
			n.fault("oauth without username: it is the address of the mailbox")
		}
		if said["folder"] && said["folders"] {
			n.at("folder").fault("folder and folders: one of them is needed, not both")
		}
		if s.TLS == Plain && s.Host != "" && !loopback(s.Host) {
			n.warn("tls: none sends mail and password readable by anyone on the way to %s: say tls or starttls", s.Host)
		}
	}, fields...)
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// caFile is a PEM file with at least one certificate.
func caFile() shape[string] {
	return shape[string]{func(n node, into *string) {
		name, ok := n.scalar()
		if !ok || name == "" {
			return
		}
		data, err := n.r.env.ReadFile(name)
		if err != nil {
			n.fault("%s cannot be read: %s", quote(name), reason(err))
		} else if !x509.NewCertPool().AppendCertsFromPEM(data) {
			n.fault("%s holds no certificate in PEM form", quote(name))
		}
		*into = name
	}, schema{"type": "string"}}
}

// reason is the last word of an error chain, without the file name that may be a secret.
func reason(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return fmt.Sprint(err)
		}
		err = inner
	}
}
