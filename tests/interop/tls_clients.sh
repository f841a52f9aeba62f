#!/bin/bash
# SIP phones that others wrote, over TLS with SIP Digest: baresip and linphone register, call each other through the daemon,
# register again, and de-register. They know no Security-Client: the network's policy is "optional".
# covers: DN-01, TL-12, TL-13, TM-01, DT-08
#
# usage: tests/interop/tls_clients.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
for program in baresip linphonec; do
	command -v $program >/dev/null || { echo "needs baresip-core and linphone-cli"; exit 77; }
done
NET_BUILD=${NET_BUILD:-$PWD/build}
# shellcheck source=scripts/net.sh
. scripts/net.sh
hosts=/etc/netns/$NET_UE
down() {
	rm -rf "$hosts"
	rmdir /etc/netns 2>/dev/null || true
	net_down
}
trap down EXIT

realm=ims.mnc001.mcc001.3gppnetwork.org
net_up
scripts/make-certs "$NET_DIR/certs" --name "pcscf.$realm" --address "$net_pcscf4"
mkdir -p "$hosts"
echo "$net_pcscf4 pcscf.$realm" >"$hosts/hosts" # read by programs that `ip netns exec` starts
cat etc/demo.conf - >"$NET_DIR/tls.conf" <<-EOT
	tls = { enabled = true; certificate = "certs/server.pem"; key = "certs/server.key"; };
	access_networks = ( { source = "10.44.0.0/15"; mechanisms = ["tls"]; policy = "optional"; } );
	registrar = { expires_min = 4; };
EOT
net_daemon "$NET_DIR/tls.conf"
for who in alice bob; do
	echo secret-$who | net_ctl subscriber add --impi "$who@$realm" --impu "sip:$who@$realm" --digest --password-file - >/dev/null
done

net_ue_plain 4
for host in 10.45.0.1 10.45.0.2; do ip -n "$NET_UE" addr add "$host/32" dev lo; done

/usr/bin/python3 tests/interop/tls_clients.py "$NET_UE" "$NET_DIR" "$NET_BUILD/esplanadectl" "$realm" "$net_pcscf4" || {
	status=$?
	tail -n 25 "$NET_DIR/esplanade.log"
	for log in "$NET_DIR"/*.out; do echo "== $log"; grep -v "^ *$\|alsa" "$log" | tail -n "${TAIL:-60}"; done
	exit $status
}
net_ctl show drops
