# Sourced by scripts/demo and the smoke tests: two network namespaces joined by a veth pair, and the
# programs inside. Everything lives in names with the owner's process id, and goes with it.
#
#   namespace $NET_UE                      namespace $NET_GW
#   esplanade-ue -- ue1 <== veth ==> ue0 -- esplanade -- esp0 (TAP): the kernel holds the P-CSCF's
#                                                        addresses and the route to the UEs
#
# shellcheck shell=bash

NET_UE=esplanade-ue-$$
NET_GW=esplanade-gw-$$
NET_DIR=

net_pcscf4=10.44.0.1 net_router4=10.44.0.2 net_pool4=10.45.0.0/16
net_pcscf6=fd00:44::1 net_router6=fd00:44::2 net_pool6=fd00:45::/64

net_need_root() {
	[ "$(id -u)" = 0 ] && return
	echo "$(basename "$0"): needs root for network namespaces and packet sockets: run it as root, e.g. sudo $0" >&2
	exit 1
}

# When a process began, in clock ticks since boot: tells it from a later one with its number. Nothing: it is gone.
net_started() { # PID
	{ sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20; } 2>/dev/null
}

# Namespaces, and directories with keys, that a killed run left behind: those whose process is gone.
net_sweep() {
	local ns pid dir started
	for ns in $(ip netns list 2>/dev/null | awk '/^esplanade-(ue|gw|home[ab]|nat[ab])-[0-9]+/ {print $1}'); do
		pid=${ns##*-}
		kill -0 "$pid" 2>/dev/null || net_remove "$ns"
	done
	for dir in "${TMPDIR:-/tmp}"/esplanade.*.*.??????; do
		[[ ${dir##*/} =~ ^esplanade\.([0-9]+)\.([0-9]+)\.[[:alnum:]]+$ ]] || continue
		pid=${BASH_REMATCH[1]} started=${BASH_REMATCH[2]}
		if [ -L "$dir" ] || [ ! -d "$dir" ] || [ ! -O "$dir" ]; then continue; fi
		[ "$(net_started "$pid")" = "$started" ] || rm -rf "$dir"
	done
}

# Ends what runs in one of our own namespaces, then removes it.
net_remove() {
	local pids
	[ -e "/run/netns/$1" ] || return 0
	pids=$(ip netns pids "$1" 2>/dev/null || true)
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill $pids 2>/dev/null || true
	for _ in $(seq 30); do
		[ -z "$(ip netns pids "$1" 2>/dev/null)" ] && break
		sleep 0.1
	done
	pids=$(ip netns pids "$1" 2>/dev/null || true)
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill -9 $pids 2>/dev/null || true
	ip netns del "$1" 2>/dev/null || true
}

net_down() {
	net_remove "$NET_UE"
	net_remove "$NET_GW"
	[ -z "$NET_DIR" ] || rm -rf "$NET_DIR"
}

# The kernel must not answer on a port that the data plane reads through a packet socket: it would
# see every packet too, and answer twice.
net_deafen() { # NAMESPACE INTERFACE
	ip netns exec "$1" sysctl -qw "net.ipv6.conf.$2.disable_ipv6=1" \
		"net.ipv4.conf.$2.rp_filter=1" "net.ipv4.conf.$2.arp_ignore=8"
}

net_up() {
	net_sweep
	NET_DIR=$(mktemp -d "${TMPDIR:-/tmp}/esplanade.$$.$(net_started $$).XXXXXX")
	ip netns add "$NET_UE"
	ip netns add "$NET_GW"
	ip -n "$NET_GW" link add ue0 type veth peer name ue1 netns "$NET_UE"
	net_deafen "$NET_GW" ue0
	net_deafen "$NET_UE" ue1
	# No duplicate address detection: without it the host port can ask for neighbours at once.
	ip netns exec "$NET_GW" sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip netns exec "$NET_UE" sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip -n "$NET_GW" link set lo up
	ip -n "$NET_GW" link set ue0 up
	ip -n "$NET_UE" link set lo up
	ip -n "$NET_UE" link set ue1 up
}

# The P-CSCF's addresses and the routes to the UEs, on the host port.
net_gw_host() {
	ip -n "$NET_GW" link set esp0 up
	ip -n "$NET_GW" addr add "$net_pcscf4/24" dev esp0
	ip -n "$NET_GW" -6 addr add "$net_pcscf6/64" dev esp0 nodad
	ip -n "$NET_GW" route add "$net_pool4" via "$net_router4" dev esp0
	ip -n "$NET_GW" -6 route add "$net_pool6" via "$net_router6" dev esp0
}

# Starts the daemon in the gateway namespace and waits until it is ready; its addresses and routes are
# ordinary kernel ones on its host port.
net_daemon() { # [CONFIG]
	: >"$NET_DIR/esplanade.log"
	ip netns exec "$NET_GW" "$NET_BUILD/esplanade" -c "${1:-etc/demo.conf}" --run-dir "$NET_DIR" \
		2>>"$NET_DIR/esplanade.log" &
	NET_DAEMON=$!
	local i
	for i in $(seq 150); do
		grep -q 'ready' "$NET_DIR/esplanade.log" 2>/dev/null && break
		if ! kill -0 "$NET_DAEMON" 2>/dev/null || [ "$i" = 150 ]; then
			echo "esplanade did not start:" >&2
			cat "$NET_DIR/esplanade.log" >&2
			return 1
		fi
		sleep 0.1
	done
	net_gw_host
}

net_ctl() { "$NET_BUILD/esplanadectl" --socket "$NET_DIR/esplanade.sock" "$@"; }

# Makes COUNT subscribers with random keys and gives them to the HSS.
net_subscribers() { # COUNT
	(umask 077; "$NET_BUILD/esplanade-ue" subscribers --count "$1" >"$NET_DIR/subscribers.csv")
	net_ctl subscriber add --file "$NET_DIR/subscribers.csv" >/dev/null
}

# Gives esp1, the host port of esplanade-ue, the UEs' addresses, all of which the kernel then takes for its own
# (AnyIP); the route to the P-CSCF comes last, since esplanade-ue waits for it.
net_ue_host() { # 4|6
	local dev="" router=$net_router4/24 pool=$net_pool4
	[ "$1" = 4 ] || { router=$net_router6/64 pool=$net_pool6; }
	for _ in $(seq 300); do
		dev=$(ip -n "$NET_UE" -o link show up dev esp1 2>/dev/null || true)
		[ -z "$dev" ] || break
		sleep 0.1
	done
	ip -n "$NET_UE" "-$1" route add local "$pool" dev esp1
	ip -n "$NET_UE" "-$1" addr add "$router" dev esp1
}

# esplanade-ue load (or $net_command) with the addresses of this network; IP version first, then any of its options.
net_load() { # 4|6 OPTION...
	local ip=$1 pool=$net_pool4 router=$net_router4 pcscf=$net_pcscf4
	shift
	[ "$ip" = 4 ] || { pool=$net_pool6 router=$net_router6 pcscf=$net_pcscf6; }
	case " $* " in
	*" --transport tcp "* | *" --transport mixed "*)
		set -- --host-port net_tap0,iface=esp1 "$@"
		net_ue_host "$ip" & ;;
	esac
	ip netns exec "$NET_UE" "$NET_BUILD/esplanade-ue" "${net_command:-load}" --port net_af_packet0,iface=ue1 --ip "$ip" \
		--local "$pool" --router-local "$router" --gateway "$pcscf" --pcscf "$pcscf" \
		--subscribers "$NET_DIR/subscribers.csv" "$@"
}

# ---- phones without IPsec: TLS and SIP Digest over the UE namespace's own stack --------------

# The kernel has the UEs' addresses (AnyIP) on its end of the veth pair, without checksum offload: the data plane reads the wire.
net_ue_plain() { # 4|6
	local router=$net_router4/24 pool=$net_pool4
	[ "$1" = 4 ] || router=$net_router6/64 pool=$net_pool6
	ip netns exec "$NET_UE" sysctl -qw net.ipv6.conf.ue1.disable_ipv6=0 net.ipv4.conf.ue1.arp_ignore=0 net.ipv6.conf.ue1.accept_dad=0
	ip netns exec "$NET_UE" python3 - <<-'EOT'
	import ctypes, fcntl, socket, struct
	off = ctypes.create_string_buffer(struct.pack("II", 0x17, 0))  # ETHTOOL_STXCSUM
	fcntl.ioctl(socket.socket(), 0x8946, struct.pack("16sP", b"ue1", ctypes.addressof(off)))  # SIOCETHTOOL
	EOT
	ip -n "$NET_UE" "-$1" addr add "$router" dev ue1
	ip -n "$NET_UE" "-$1" route add local "$pool" dev lo
}

# The demo's configuration, but for TLS or for Digest alone; with certificates.
net_plain_conf() { # tls|digest
	scripts/make-certs "$NET_DIR/certs" --name pcscf.ims.mnc001.mcc001.3gppnetwork.org --address "$net_pcscf4" \
		--address "$net_pcscf6" >/dev/null 2>&1
	sed "s/^access = {/&\n\tmechanisms = [\"$1\"];/" etc/demo.conf >"$NET_DIR/plain.conf"
	cat >>"$NET_DIR/plain.conf" <<-EOT
	tls = {
		enabled = true;
		certificate = "$NET_DIR/certs/server.pem";
		key = "$NET_DIR/certs/server.key";
	};
	digest = {
		algorithms = ["SHA-256", "MD5"];
	};
	EOT
}

net_digest_subscribers() { # COUNT
	(umask 077; "$NET_BUILD/esplanade-ue" subscribers --digest --count "$1" --hss "$NET_DIR/hss.csv" >"$NET_DIR/subscribers.csv")
	net_ctl subscriber add --file "$NET_DIR/hss.csv" >/dev/null
}

net_plain_load() { # 4|6 SECURITY OPTION...
	local ip=$1 security=$2 pool=$net_pool4 pcscf=$net_pcscf4
	shift 2
	[ "$ip" = 4 ] || pool=$net_pool6 pcscf=$net_pcscf6
	ip netns exec "$NET_UE" "$NET_BUILD/esplanade-ue" load --ip "$ip" --local "$pool" --pcscf "$pcscf" --auth digest \
		--security "$security" --ca "$NET_DIR/certs/root.pem" --subscribers "$NET_DIR/subscribers.csv" "$@"
}
