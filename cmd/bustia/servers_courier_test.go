//go:build integration

package main

import (
	"fmt"
	"testing"
)

// startCourier starts a private Courier IMAP server with one mailbox. Under IDLE it looks for new mail
// every two seconds: being told by the system needs a daemon more.
func startCourier(t *testing.T, address, password string) (port int) {
	t.Helper()
	port = freePorts(t, 1)[0]
	startUnpacked(t, "courier", fmt.Sprintf(`
ldconfig
mkdir -p /run/courier/authdaemon /srv/mail
chown %[3]s:%[3]s /srv/mail
setpriv --reuid=%[3]s --regid=%[3]s --clear-groups maildirmake.courier /srv/mail/Maildir
printf 'authmodulelist="authuserdb"\ndaemons=2\nauthdaemonvar=/run/courier/authdaemon\n' >/etc/courier/authdaemonrc
secret=$(echo '%[2]s' | userdbpw)
printf '%%s\tuid=%%s|gid=%%s|home=/srv/mail|mail=/srv/mail/Maildir|systempw=%%s\n' '%[1]s' "$(id -u %[3]s)" "$(id -g %[3]s)" "$secret" >/etc/courier/userdb
chmod 600 /etc/courier/userdb
makeuserdb
/usr/lib/courier/courier-authlib/authdaemond &
set -a
. /etc/courier/imapd-ssl
. /etc/courier/imapd
IMAP_IDLE_TIMEOUT=2
IMAP_STARTTLS=NO
exec couriertcpd -address=%[4]s -maxprocs=40 -maxperip=40 -nodnslookup -noidentlookup %[5]d /usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir
`, address, password, mailOwner, loopback, port), port)
	return port
}
