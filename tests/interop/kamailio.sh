#!/bin/bash
# A plain SIP registrar and proxy that is not ours: our UEs register with Kamailio without authentication and with SIP Digest (MD5 and
# SHA-256, the registrar proves itself by rspauth), over UDP, TCP and TLS; they register again, send messages, call each other, de-register.
# covers: DN-01, DN-11, DN-15, TC-05
set -euo pipefail
cd "$(dirname "$0")/../.."
ue=$PWD/build/esplanade-ue
modules=/usr/lib/$(uname -m)-linux-gnu/kamailio/modules/
for need in "$(command -v kamailio || true)" "$modules/tls.so" "$ue"; do
	[ -e "$need" ] || { echo "needs kamailio, kamailio-tls-modules and a build"; exit 77; }
done

dir=$(mktemp -d "${TMPDIR:-/tmp}/esplanade.XXXXXX")
base=$((20000 + $$ % 20000))
pids=()
down() {
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	wait "${pids[@]}" 2>/dev/null || true
	rm -rf "$dir"
}
trap down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

scripts/make-certs "$dir/certs" --name registrar.example --address 127.0.0.1 >"$dir/certs.log" 2>&1
cat >"$dir/tls.cfg" <<-EOT
	[server:default]
	method = TLSv1.2+
	private_key = $dir/certs/server.key
	certificate = $dir/certs/server.pem
	verify_certificate = no
	require_certificate = no
EOT

kamailio_start() { # NAME ALGORITHM PORT
	mkdir "$dir/$1"
	sed -e "s#@PORT@#$3#; s#@TLS@#$(($3 + 1))#; s#@ALGORITHM@#$2#; s#@MODULES@#$modules#; s#@DIR@#$dir#" \
		tests/interop/kamailio.cfg >"$dir/$1.cfg"
	kamailio -DD -E -f "$dir/$1.cfg" -m 32 -M 4 -Y "$dir/$1" -w "$dir/$1" -P "$dir/$1.pid" >"$dir/$1.log" 2>&1 &
	pids+=($!)
}
ready() { # PORT
	for _ in $(seq 100); do
		(: >"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
		sleep 0.1
	done
	cat "$dir"/*.log >&2
	return 1
}
kamailio_start md5 MD5 "$base"
kamailio_start sha SHA-256 $((base + 2))
ready "$base"
ready $((base + 2))

printf 'bob-secret\n' >"$dir/bob.password"
printf 'carol-secret\n' >"$dir/carol.password"
printf 'other\n' >"$dir/wrong.password"
next=$((base + 10))

phone() { # NAME REGISTRAR-PORT WAY OPTION...; commands on stdin
	local name=$1 port=$2 way=$3 security=none transport=$3
	shift 3
	[ "$way" != tls ] || security=tls-plain transport=tcp
	timeout 30 "$ue" phone --pcscf "127.0.0.1:$port" --tls-port $((port + 1)) --local "127.0.0.1:$next" --security $security \
		--transport $transport --ca "$dir/certs/root.pem" --impi "$name@home1.net" --impu "sip:$name@home1.net" --expires 60 "$@"
}
fail() { # WHAT LOG...
	echo "FAILED: $1"
	shift
	cat "$@"
	exit 1
}

for way in udp tcp tls; do
	next=$((next + 1))
	if [ "$way" != tls ]; then # users whose names begin with a are not asked for a password
		printf '%s\n' "wait registered" register "wait registered" deregister "wait deregistered" |
			phone alice "$base" "$way" --auth none >"$dir/alice.log" 2>&1 || fail "$way, no authentication" "$dir/alice.log"
	fi
	for port in "$base" $((base + 2)); do
		next=$((next + 1))
		printf '%s\n' "wait failed" | phone bob "$port" "$way" --auth digest --password-file "$dir/wrong.password" >"$dir/bob.log" 2>&1 &&
			grep -q 'wrong password' "$dir/bob.log" || fail "$way, wrong password" "$dir/bob.log"
		next=$((next + 1))
		printf '%s\n' "wait registered" "wait message" "wait incoming" answer "wait answered" "wait ended" |
			phone carol "$port" "$way" --auth digest --password-file "$dir/carol.password" >"$dir/carol.log" 2>&1 &
		carol=$!
		for _ in $(seq 100); do grep -q '^registered' "$dir/carol.log" && break; sleep 0.1; done
		next=$((next + 1))
		printf '%s\n' "wait registered" register "wait registered" "message sip:carol@home1.net good morning" "wait sent" \
			"call sip:carol@home1.net" "wait answered" hangup "wait ended" deregister "wait deregistered" |
			phone bob "$port" "$way" --auth digest --password-file "$dir/bob.password" >"$dir/bob.log" 2>&1 ||
			fail "$way, caller" "$dir/bob.log" "$dir/carol.log"
		wait $carol || fail "$way, callee" "$dir/bob.log" "$dir/carol.log"
		grep -qx 'message: good morning' "$dir/carol.log" || fail "$way, message" "$dir/carol.log"
	done
	echo "$way: registered, called, sent messages with MD5 and SHA-256"
done

# Many at once, over TLS and over UDP, from one address.
for i in $(seq 10 29); do echo "user$i@home1.net,password,user$i-secret,sip:user$i@home1.net"; done >"$dir/users.csv"
for security in tls-plain none; do
	result=$(timeout 60 "$ue" load --auth digest --security $security --ca "$dir/certs/root.pem" --ues 20 --rate 50 --messages 3 --calls 10 \
		--expires 60 --subscribers "$dir/users.csv" --pcscf "127.0.0.1:$base" --tls-port $((base + 1)) \
		--local "127.0.0.1:$((base + 100))" --json 2>"$dir/load.log") || fail "load, $security: $result" "$dir/load.log"
	python3 - $security "$result" <<-'EOT'
	import json, sys
	r = json.loads(sys.argv[2].splitlines()[-1])
	assert r["registered"] == 20 and r["messages_delivered"] == 60 and r["calls_completed"] == 10, r
	assert r["tls_handshakes"] == (20 if sys.argv[1] == "tls-plain" else 0), r
	EOT
	echo "load, $security: 20 UEs registered, 60 messages, 10 calls"
done

# A root that has not signed this server, and a name that is not its.
scripts/make-certs "$dir/other" --name registrar.example --address 127.0.0.1 >"$dir/certs.log" 2>&1
for options in "--ca $dir/other/root.pem" "--server-name other.example"; do
	next=$((next + 1))
	# shellcheck disable=SC2086
	printf '%s\n' "wait failed" | phone bob "$base" tls --auth digest --password-file "$dir/bob.password" $options >"$dir/bob.log" 2>&1 ||
		fail "certificate: $options" "$dir/bob.log"
	grep -qi 'certificate\|hostname' "$dir/bob.log" || fail "reason: $options" "$dir/bob.log"
	echo "refused: $(grep failed: "$dir/bob.log")"
done
