//go:build integration

package main

import (
	"fmt"
	"testing"
)

// startCyrus starts a private Cyrus IMAP server with one mailbox. Cyrus makes the mailbox at the first login.
func startCyrus(t *testing.T, address, password string) (port int) {
	t.Helper()
	port = freePorts(t, 1)[0]
	startUnpacked(t, "cyrus", fmt.Sprintf(`
ldconfig
mkdir -p /srv/cyrus/conf/socket /srv/cyrus/spool /run/cyrus
cat >/srv/cyrus/imapd.conf <<END
configdirectory: /srv/cyrus/conf
defaultpartition: default
partition-default: /srv/cyrus/spool
cyrus_user: %[3]s
cyrus_group: %[3]s
virtdomains: userid
defaultdomain: elsewhere.invalid
unixhierarchysep: yes
altnamespace: yes
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: /srv/cyrus/sasldb2
sasl_mech_list: PLAIN
autocreate_quota: 0
munge8bit: no
sendmail: /bin/false
idlesocket: /srv/cyrus/conf/socket/idle
END
cat >/srv/cyrus/cyrus.conf <<END
START {
  recover cmd="ctl_cyrusdb -C /srv/cyrus/imapd.conf -r"
}
SERVICES {
  imap cmd="imapd -C /srv/cyrus/imapd.conf" listen="%[4]s"
}
DAEMON {
  idled cmd="idled -C /srv/cyrus/imapd.conf"
}
END
address=%[1]s
echo '%[2]s' | saslpasswd2 -p -c -f /srv/cyrus/sasldb2 -u "${address#*@}" "${address%%@*}"
chown -R %[3]s:%[3]s /srv/cyrus
exec /usr/lib/cyrus/bin/master -D -L /srv/cyrus/log -C /srv/cyrus/imapd.conf -M /srv/cyrus/cyrus.conf -p /srv/cyrus/pid
`, address, password, mailOwner, onLoopback(port)), port)
	return port
}
