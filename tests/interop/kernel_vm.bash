# Sourced by kernel_esp.sh after scripts/net.sh: a Linux kernel with ESP in QEMU (no KVM needed), and
# commands in it. The kernel is Debian's, unpacked beside the build, never installed.
#
#   namespace $NET_UE:  ue1 (to the gateway) -- bridge -- vm0 (TAP) == eth0 of the VM
#                                                         vmctl (TAP) == eth1 of the VM, for commands
#   namespace $NAT_HOME_a, behind the NAT of scripts/nat.sh: vmnat (TAP) == eth2 of the VM
#
# shellcheck shell=bash

VM_CTL_HOST=192.0.2.1 VM_CTL=192.0.2.2 VM_CTL_PORT=2323
VM_MODULES=(virtio_pci virtio_net virtio_rng xfrm_user esp4 esp6 authenc echainiv seqiv des_generic crypto_null)
VM_MAC=52:54:00:00:00:02
VM_PID=

# Newest kernel of Debian's cloud flavour, unpacked in CACHE/NAME; prints that folder.
vm_kernel() { # CACHE
	local package
	package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends: linux-image-.*-cloud-amd64$/ {print $2}')
	if [ -z "$package" ]; then
		apt-get update -qq >&2 || true
		package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-.*-cloud-amd64$/ {print $2}')
	fi
	[ -n "$package" ] || return 1
	if [ ! -e "$1/$package/complete" ]; then
		rm -rf "${1:?}/$package"
		mkdir -p "$1/$package/deb"
		(cd "$1/$package/deb" && apt-get download -qq -o APT::Sandbox::User=root "$package" >&2) || return 1
		dpkg -x "$1/$package"/deb/*.deb "$1/$package" || return 1
		rm -r "$1/$package/deb"
		/sbin/depmod -b "$1/$package" "$(ls "$1/$package/lib/modules")"
		touch "$1/$package/complete"
	fi
	echo "$1/$package"
}

# Copies programs to ROOT/usr/bin, and the libraries they name to the places where they are here.
vm_install() { # ROOT PROGRAM...
	local root=$1 file
	shift
	for file in "$@"; do
		install -D "$file" "$root/usr/bin/${file##*/}"
	done
	ldd "$@" | awk '$2 == "=>" {print $3} $1 ~ /^\// && $1 !~ /:$/ {print $1}' | sort -u | while read -r file; do
		[ -e "$root$file" ] || install -D "$file" "$root$file"
	done
}

vm_modules() { # ROOT KERNEL_FOLDER
	local version file
	version=$(ls "$2/lib/modules")
	{
		for file in "${VM_MODULES[@]}"; do
			/sbin/modprobe -d "$2" -S "$version" --show-depends "$file" || return 1
		done | awk '$1 == "insmod" {print $2}'
		find "$2/lib/modules/$version/kernel/crypto" "$2/lib/modules/$version/kernel/arch/x86/crypto" -name '*.ko*'
	} | sort -u | while read -r file; do
		install -D "$file" "$1/lib/modules/$version/${file#*/lib/modules/"$version"/}"
	done
	cp "$2/lib/modules/$version"/modules.{order,builtin,builtin.modinfo} "$1/lib/modules/$version"
	/sbin/depmod -b "$1" "$version" # with aliases, so that the kernel asks for its ciphers itself
}

# Packs busybox, ip, the programs and the modules; each command's shell reads from the connection.
vm_initrd() { # KERNEL_FOLDER FILE PROGRAM...
	local root=$NET_DIR/initrd kernel=$1 file=$2
	shift 2
	mkdir -p "$root"/{bin,sbin,dev,proc,sys,tmp,etc}
	install "$(command -v busybox)" "$root/bin/busybox"
	for applet in sh mount modprobe sysctl cat nc; do
		ln -s /bin/busybox "$root/bin/$applet"
	done
	ln -s /bin/busybox "$root/sbin/modprobe"
	vm_install "$root" "$(command -v ip)" "$@"
	vm_modules "$root" "$kernel"
	cat >"$root/init" <<-END
		#!/bin/sh
		export PATH=/usr/bin:/bin:/sbin
		/bin/busybox --install -s /bin 2>/dev/null
		mount -t devtmpfs none /dev
		mount -t proc none /proc
		mount -t sysfs none /sys
		for m in ${VM_MODULES[*]}; do modprobe \$m; done
		/usr/bin/ip link set lo up
		/usr/bin/ip link set eth1 up
		/usr/bin/ip address add $VM_CTL/24 dev eth1
		echo "vm: ready"
		while :; do nc -ll -p $VM_CTL_PORT -e /bin/sh; done
	END
	chmod +x "$root/init"
	(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$file"
	rm -r "$root"
}

# All offloads are off: what the VM sends is what is on the wire.
vm_start() { # KERNEL_FOLDER INITRD
	local tap off=csum=off,gso=off,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off
	off+=,host_tso4=off,host_tso6=off,host_ecn=off,host_ufo=off,mrg_rxbuf=off
	for tap in vm0 vmctl vmnat; do
		ip -n "$NET_UE" tuntap add "$tap" mode tap
		ip netns exec "$NET_UE" sysctl -qw "net.ipv6.conf.$tap.disable_ipv6=1"
		ip -n "$NET_UE" link set "$tap" up
	done
	ip -n "$NET_UE" address add "$VM_CTL_HOST/24" dev vmctl
	ip -n "$NET_UE" link add bridge type bridge
	ip netns exec "$NET_UE" sysctl -qw net.ipv6.conf.bridge.disable_ipv6=1
	ip -n "$NET_UE" link set ue1 master bridge
	ip -n "$NET_UE" link set vm0 master bridge
	ip -n "$NET_UE" link set bridge up
	ip netns exec "$NET_UE" qemu-system-x86_64 -accel tcg -cpu max -smp 1 -m 256 -nodefaults -no-user-config \
		-display none -no-reboot -serial "file:$NET_DIR/vm.log" -device virtio-rng-pci \
		-kernel "$1"/boot/vmlinuz-* -initrd "$2" \
		-append "console=ttyS0 panic=-1 random.trust_cpu=on mitigations=off quiet" \
		-netdev tap,id=n0,ifname=vm0,script=no,downscript=no,vhost=off -device "virtio-net-pci,netdev=n0,mac=$VM_MAC,romfile=,$off" \
		-netdev tap,id=n1,ifname=vmctl,script=no,downscript=no,vhost=off -device virtio-net-pci,netdev=n1,mac=52:54:00:00:00:03,romfile= \
		-netdev tap,id=n2,ifname=vmnat,script=no,downscript=no,vhost=off -device "virtio-net-pci,netdev=n2,mac=52:54:00:00:00:04,romfile=,$off" \
		>"$NET_DIR/qemu.log" 2>&1 &
	VM_PID=$!
}

vm_wait() { # SECONDS
	local i
	for ((i = 0; i < $1 * 10; i++)); do
		grep -q 'vm: ready' "$NET_DIR/vm.log" 2>/dev/null && return
		kill -0 "$VM_PID" 2>/dev/null || break
		sleep 0.1
	done
	echo "the VM did not boot:" >&2
	tail -n 30 "$NET_DIR/qemu.log" "$NET_DIR/vm.log" >&2
	return 1
}

# Runs shell text in the VM: its output, its exit status.
vm() { # SECONDS SHELL_TEXT
	ip netns exec "$NET_UE" python3 tests/interop/kernel_run.py "$VM_CTL" "$VM_CTL_PORT" "$@"
}

# The UEs' side of the network of scripts/net.sh: the VM is the router that all their addresses are behind.
vm_addresses() {
	vm 60 "sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.eth0.accept_dad=0
		ip address add $net_router4/24 dev eth0
		ip address add $net_router6/64 dev eth0 nodad
		ip link set eth0 up
		ip route add local $net_pool4 dev lo
		ip -6 route add local $net_pool6 dev lo"
}

# The VM moves behind a NAT: the UEs have private addresses there, and the way to the P-CSCF is the NAT's.
vm_behind_nat() {
	nat_one a 20000-20999
	ip -n "$NET_UE" link set vmnat netns "$NAT_HOME_a"
	ip -n "$NAT_HOME_a" link add bridge type bridge
	ip netns exec "$NAT_HOME_a" sysctl -qw net.ipv6.conf.bridge.disable_ipv6=1 net.ipv6.conf.vmnat.disable_ipv6=1
	ip -n "$NAT_HOME_a" link set bridge up
	ip -n "$NAT_HOME_a" link set ue1 master bridge
	ip -n "$NAT_HOME_a" link set vmnat master bridge up
	vm 60 "sysctl -qw net.ipv6.conf.eth2.accept_dad=0
		ip address add $nat_own4/24 dev eth2
		ip address add $nat_own6/64 dev eth2 nodad
		ip link set eth2 up
		ip route add local $nat_pool4 dev lo
		ip -6 route add local $nat_pool6 dev lo
		ip route add $net_pcscf4 via $nat_inside4 dev eth2
		ip -6 route add $net_pcscf6 via $nat_inside6 dev eth2"
}

# A text file in the VM.
vm_put() { # FILE PATH
	vm 60 "cat >$2 <<'END-OF-FILE'
$(cat "$1")
END-OF-FILE"
}

vm_stop() {
	[ -z "$VM_PID" ] || kill "$VM_PID" 2>/dev/null || true
	[ -z "$VM_PID" ] || wait "$VM_PID" 2>/dev/null || true
	VM_PID=
}
