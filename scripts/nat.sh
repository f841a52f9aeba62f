# Sourced after scripts/net.sh by scripts/demo --nat and tests/smoke/nat.sh: two homes behind two NATs, whose
# phones have the same private addresses. The NATs are the kernel's (nftables masquerade).
#
#   $NAT_HOME_a                     $NAT_a                                  $NET_UE    $NET_GW
#   esplanade-ue -- ue1 <== veth ==> in  kernel, masquerade  out <== veth ==> bridge <== veth ==> ue0 -- esplanade
#   ($NAT_HOME_b, $NAT_b likewise)
#
# shellcheck shell=bash

NAT_HOME_a=esplanade-homea-$$ NAT_HOME_b=esplanade-homeb-$$
NAT_a=esplanade-nata-$$ NAT_b=esplanade-natb-$$

# Public addresses; the phones' prefix, the NAT's address inside, and one of esplanade-ue's own.
nat_public4_a=10.44.0.11 nat_public4_b=10.44.0.12
nat_public6_a=fd00:44::11 nat_public6_b=fd00:44::12
nat_pool4=192.168.77.0/25 nat_inside4=192.168.77.254 nat_own4=192.168.77.253
nat_pool6=fd00:77::/112 nat_inside6=fd00:77::1:1 nat_own6=fd00:77::1:2
nat_alias4=198.18.0.0/15 nat_alias6=fd00:e5::/104 # nat.aliases of the configuration
nat_hop4=10.44.0.253 nat_hop6=fd00:44::253	   # nobody: see nat_routes

nat_need() {
	local program
	for program in nft conntrack; do
		command -v "$program" >/dev/null || { echo "$program is missing: scripts/setup --nat" >&2; return 1; }
	done
}

nat_down() {
	local ns
	for ns in "$NAT_HOME_a" "$NAT_HOME_b" "$NAT_a" "$NAT_b"; do net_remove "$ns"; done
	net_down
}

# All mappings are forgotten, and new ones come from other ports: what a NAT does that was switched off and on.
nat_rebind() { # a|b FIRST-LAST
	local ns=NAT_$1 family
	for family in ip ip6; do
		ip netns exec "${!ns}" nft -f - <<-EOT
			table $family nat
			delete table $family nat
			table $family nat {
				chain postrouting {
					type nat hook postrouting priority srcnat;
					oifname "out" meta l4proto { tcp, udp } masquerade to :$2
				}
			}
		EOT
	done
	ip netns exec "${!ns}" conntrack -F 2>/dev/null
}

nat_one() { # a|b FIRST-LAST
	local nat=NAT_$1 home=NAT_HOME_$1 public4=nat_public4_$1 public6=nat_public6_$1
	nat=${!nat} home=${!home}
	ip netns add "$nat"
	ip netns add "$home"
	ip -n "$nat" link add out type veth peer name "nat$1" netns "$NET_UE"
	ip -n "$nat" link add in type veth peer name ue1 netns "$home"
	ip netns exec "$nat" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv6.conf.default.accept_dad=0
	ip netns exec "$home" sysctl -qw net.ipv6.conf.default.accept_dad=0
	net_deafen "$home" ue1
	ip -n "$NET_UE" link set "nat$1" master bridge up
	ip -n "$nat" link set lo up
	ip -n "$nat" link set out up
	ip -n "$nat" link set in up
	ip -n "$home" link set lo up
	ip -n "$home" link set ue1 up
	ip -n "$nat" addr add "${!public4}/24" dev out
	ip -n "$nat" -6 addr add "${!public6}/64" dev out nodad
	ip -n "$nat" addr add "$nat_inside4/24" dev in
	ip -n "$nat" -6 addr add "$nat_inside6/64" dev in nodad
	# by way of esplanade-ue's own address: no kernel answers neighbour solicitations for AnyIP
	ip -n "$nat" route add "$nat_pool4" via "$nat_own4" dev in
	ip -n "$nat" -6 route add "$nat_pool6" via "$nat_own6" dev in
	nat_rebind "$1" "$2"
}

nat_up() {
	net_up
	ip netns exec "$NET_UE" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	ip -n "$NET_UE" link add bridge type bridge
	ip -n "$NET_UE" link set bridge up
	ip -n "$NET_UE" link set ue1 master bridge
	nat_one a 20000-20999
	nat_one b 30000-30999
}

# After net_daemon: the aliases of phones behind NATs are behind the host port. The kernel wants some neighbour
# for them; whose frames these are, the data plane finds out by their addresses.
nat_routes() {
	ip -n "$NET_GW" neigh add "$nat_hop4" lladdr 02:00:00:00:00:01 dev esp0 nud permanent
	ip -n "$NET_GW" -6 neigh add "$nat_hop6" lladdr 02:00:00:00:00:01 dev esp0 nud permanent
	ip -n "$NET_GW" route add "$nat_alias4" via "$nat_hop4" dev esp0
	ip -n "$NET_GW" -6 route add "$nat_alias6" via "$nat_hop6" dev esp0
}

# esp1, the host port of esplanade-ue, gets the phones' addresses; the way to the P-CSCF comes last, since
# esplanade-ue waits for it.
nat_home_host() { # a|b 4|6
	local home=NAT_HOME_$1 pool=$nat_pool4 own=$nat_own4/24 inside=$nat_inside4 dev=""
	[ "$2" = 4 ] || { pool=$nat_pool6 own=$nat_own6/64 inside=$nat_inside6; }
	for _ in $(seq 300); do
		dev=$(ip -n "${!home}" -o link show up dev esp1 2>/dev/null || true)
		[ -z "$dev" ] || break
		sleep 0.1
	done
	ip -n "${!home}" "-$2" route add local "$pool" dev esp1
	ip -n "${!home}" "-$2" addr add "$own" dev esp1
	ip -n "${!home}" "-$2" route add default via "$inside" dev esp1
}

# Half of the subscribers for each home.
nat_subscribers() { # COUNT
	local half=$(($1 / 2))
	net_subscribers "$1"
	(
		umask 077
		grep -v '^#' "$NET_DIR/subscribers.csv" >"$NET_DIR/all.csv"
		head -n "$half" "$NET_DIR/all.csv" >"$NET_DIR/subscribers-a.csv"
		tail -n +$((half + 1)) "$NET_DIR/all.csv" >"$NET_DIR/subscribers-b.csv"
	)
}

# esplanade-ue load in a home; its subscribers are in $NET_DIR/subscribers-a.csv or -b.csv.
nat_load() { # a|b 4|6 OPTION...
	local which=$1 ip=$2 home=NAT_HOME_$1 pool=$nat_pool4 own=$nat_own4 inside=$nat_inside4 pcscf=$net_pcscf4
	shift 2
	[ "$ip" = 4 ] || { pool=$nat_pool6 own=$nat_own6 inside=$nat_inside6 pcscf=$net_pcscf6; }
	case " $* " in
	*" --transport tcp "* | *" --transport mixed "*)
		set -- --host-port net_tap0,iface=esp1 "$@"
		nat_home_host "$which" "$ip" & ;;
	esac
	ip netns exec "${!home}" "$NET_BUILD/esplanade-ue" load --port net_af_packet0,iface=ue1 --ip "$ip" \
		--local "$pool" --router-local "$own" --gateway "$inside" --pcscf "$pcscf" --udp-enc-tun \
		--subscribers "$NET_DIR/subscribers-$which.csv" "$@"
}
