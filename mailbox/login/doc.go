// Package login is how we prove to a mail server who we are: with a password, or with a token of
// OAuth 2 (RFC 6749). Reading (IMAP) and sending (SMTP) use the same code.
//
// # Nouns
//
// Credentials are what one mailbox logs in with. A grant is what an administrator was given to get
// tokens with: client credentials (RFC 6749 section 4.4, Microsoft 365) or a refresh token (section 6,
// Google). A keeper asks the token server and keeps what it gives. An attempt is one SASL exchange
// (RFC 4422) on one connection, by one of these mechanisms:
//
//	PLAIN        RFC 4616; what passwords are sent by, where the server offers it
//	LOGIN        no RFC; for servers without PLAIN
//	XOAUTH2      no RFC; Microsoft's and Google's own way to send a token
//	OAUTHBEARER  RFC 7628; the same as a standard
//
// # Grants
//
// A daemon that reads Microsoft 365 by itself has an application with the permissions
// IMAP.AccessAsApp and SMTP.SendAsApp, and its service principal is given each mailbox:
//
//	TokenURL      https://login.microsoftonline.com/TENANT/oauth2/v2.0/token
//	ClientID      the application's
//	ClientSecret  the application's; it expires on a date chosen when it was made
//	Scope         https://outlook.office365.com/.default
//
// Google wants a refresh token, made once in a browser by who may read the mailbox:
//
//	TokenURL      https://oauth2.googleapis.com/token
//	ClientID, ClientSecret, RefreshToken
//	Scope         none: the refresh token has its own
//
// The secret goes to the token server in the body, as both document it.
//
// # What always holds
//
// Secrets and tokens do not print: not from a value, and not from an error, even when a server
// repeats them.
//
// A token is kept until a minute before it expires, and one grant is asked for only once at a time,
// however many mailboxes wait for it. A token that a mail server refuses is thrown away. When it was
// one kept from earlier the refusal is stale (Stale): it is worth one more attempt, at once, with a
// new token on a new connection. So nobody notices that tokens expire, or that a server has dropped
// one early.
//
// An error says who has to do something. GrantError: the token server honours the grant no more, and
// somebody must renew a secret or a consent. RefusedError: the mail server does not take what we have.
// Anything else is the network's or a server's passing trouble. Nothing here waits and tries again:
// that is the caller's, at the caller's pace.
//
// # What it does not do
//
// It opens no connection to a mail server, and has nobody log in with a browser. A new refresh token
// that a server hands out is used for as long as the daemon runs; it is not written down, so a server
// that thereby revokes the old one does not suit us.
package login
