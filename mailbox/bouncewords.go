package mailbox

import (
	"regexp"
	"strings"
)

// This file holds what mail systems write to say why a mail did not arrive.

var (
	mailerDaemon    = regexp.MustCompile(`(?i)^(?:mailer[-_.]?daemon|mail[-_.]?daemon|mdaemon|microsoftexchange[0-9a-f]{16,})(?:[-+.][^@]*)?(?:@|$)`)
	statusPattern   = regexp.MustCompile(`[245]\.\d{1,3}\.\d{1,3}`)
	smtpCodePattern = regexp.MustCompile(`(?:^|[\s:>(#])([45][0-5]\d)[\s\-:]`)
	addressPattern  = regexp.MustCompile(`[\w.!#$%&'*+/=?^{|}~-]{1,64}@[\pL\pN-]{1,63}(?:\.[\pL\pN-]{1,63}){1,8}`)
	quotedIDPattern = regexp.MustCompile(`(?im)^[>\s]{0,8}message-id:\s{0,5}<([^<>\s]{1,500})>`)
	returnedPattern = regexp.MustCompile(`(?im)^[>\s]{0,4}(?:-+ ?(?:below this line is a copy of the message|this is a copy of (?:the|your) message.*|original message.*|the body of the message.*|included is a copy.*|missatge original|mensaje original|returned message.*|unsent message.*|message header.*|transcript of session follows|copia del mensaje.*)[ .-]*|` +
		`original message headers?:|message headers follow:?|received: from .*|message-id: *<.*|return-path: .*)$`)
)

// reasonsByCode are the status codes that say why by themselves; the class digit is left out.
var reasonsByCode = map[string]string{
	"1.1": "user_unknown", "1.6": "user_unknown", "1.10": "user_unknown", "1.3": "user_unknown",
	"1.2": "host_unknown", "4.4": "host_unknown",
	"2.1": "suspended", "2.2": "mailbox_full", "3.1": "mailbox_full",
	"2.3": "too_large", "3.4": "too_large",
	"4.7":  "expired",
	"7.23": "security", "7.24": "security", "7.25": "security", "7.26": "security", "7.27": "security", "7.9": "security",
	"7.20": "security", "7.21": "security", "7.10": "security", "7.11": "security", "7.5": "security", "7.6": "security", "7.7": "security",
	"7.17": "suspended", "7.28": "blocked", "7.606": "blocked", "7.511": "blocked", "7.703": "blocked",
}

// reasonsByClass are the guesses left when neither code nor wording said more.
var reasonsByClass = map[string]string{
	"1.7": "rejected", "1.8": "rejected", "1.0": "user_unknown", "4.1": "network", "4.2": "network", "4.3": "network", "4.5": "network", "4.6": "network", "4.0": "network",
	"6.0": "content", "6.1": "content", "6.3": "content", "7.0": "policy", "7.1": "policy", "7.2": "policy", "2.4": "user_unknown", "2.0": "rejected",
	"3.0": "network", "3.2": "network", "3.5": "network", "5.0": "rejected",
}

// reasonsByWording are tried in this order: what is particular before what is general.
var reasonsByWording = []struct {
	reason  string
	pattern *regexp.Regexp
}{
	{"mailbox_full", regexp.MustCompile(`(?:mailbox|inbox|account|user|storage|recipient|bústia|buzón|disk)[^.\n]{0,40}(?:\bfull\b|over ?quota|quota|plena|llen[oa])|over ?quota|quota (?:exceeded|limit)|exceeded (?:storage|quota|the quota|his|their|its)|insufficient (?:system )?storage|out of storage|not enough (?:disk|storage)`)},
	{"too_large", regexp.MustCompile(`(?:message|mail|size)[^.\n]{0,40}(?:too (?:large|big)|exceeds?|larger than)|size limit|maximum (?:message )?size|massa gran|demasiado grande`)},
	{"user_unknown", regexp.MustCompile(`(?:user|recipient|mailbox|address|account|addressee|alias)[^.\n]{0,60}(?:unknown|not (?:found|exist|known|listed|recogni[sz]ed|have an account)|does ?n[o']t exist|no longer (?:exists?|valid|available)|invalid|undeliverable|couldn't be found|wasn't found|unavailable)|(?:unknown|no such|invalid|nonexistent|bad|not a valid) (?:local )?(?:user|recipient|mailbox|address|account|person)|no mailbox (?:here )?(?:by|with)|there is no one at this address|doesn't have (?:a|an) [^\n]{0,30}account|no existe|no existeix|usuario desconocido|destinatario desconocido|usuari desconegut`)},
	{"suspended", regexp.MustCompile(`(?:account|mailbox|user|recipient)[^.\n]{0,40}(?:disabled|inactive|suspended|deactivated|locked|closed|blocked|expired)`)},
	{"host_unknown", regexp.MustCompile(`(?:host|domain)(?: or domain name| name)?[^.\n]{0,40}(?:not found|unknown|does ?n[o']t exist|not exist|not resolve|lookup failed)|no such (?:host|domain)|unrouteable|unroutable|name service error|couldn't find any host|nxdomain|no mx|null mx|dns (?:error|failure)|nullmx`)},
	{"expired", regexp.MustCompile(`(?:retry|delivery|queue|message)[^.\n]{0,30}(?:time(?:out)?|expired|exceeded|too long)|has expired|expired after|timed? ?out after|not been collected|been in the queue too long|after \d+ (?:days|hours)|undeliverable for \d+`)},
	{"blocked", regexp.MustCompile(`black ?list|block ?list|blocked using|spamhaus|spamcop|dnsbl|\brbl\b|barracuda|banned|\bip\b[^.\n]{0,60}(?:blocked|listed|reputation|denied)|poor reputation|reputation|client host [^\n]{0,80}(?:blocked|rejected)|too many (?:connections|messages)|rate limit`)},
	{"security", regexp.MustCompile(`starttls|\btls\b|authenticat|\bspf\b|\bdkim\b|dmarc|relay(?:ing)? (?:access )?denied|relaying|not permitted to relay`)},
	{"content", regexp.MustCompile(`virus|malware|attachment|content (?:rejected|filter|not)|message content|mime|header`)},
	{"filtered", regexp.MustCompile(`\bspam\b|junk|unsolicited|filtered|filter|ubl?ce`)},
	{"policy", regexp.MustCompile(`polic(?:y|ies)|not allowed|administrative(?:ly)? (?:prohibition|denied)|prohibited|greylist|graylist`)},
	{"network", regexp.MustCompile(`connection (?:refused|timed out|reset|lost|failed|dropped)|timed? ?out|no route|network (?:is )?unreachable|unreachable|lost connection|temporar|too many hops|loop`)},
	{"rejected", regexp.MustCompile(`reject|denied|refus|rebutja|rechaza`)},
}

// bounceReason is one word of a small vocabulary for a status code and a lower-case diagnostic.
func bounceReason(status, diagnostic string) string {
	if strings.HasPrefix(status, "2") {
		return "other"
	}
	_, code, _ := strings.Cut(status, ".")
	if reason := reasonsByCode[code]; reason != "" {
		return reason
	}
	diagnostic = diagnostic[:min(len(diagnostic), 20_000)]
	for _, r := range reasonsByWording {
		if r.pattern.MatchString(diagnostic) {
			return r.reason
		}
	}
	if reason := reasonsByClass[code]; reason != "" {
		return reason
	}
	return "other"
}
