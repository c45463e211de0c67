#!/bin/bash
# A whole machine in qemu with the package installed: what a box cannot do. A job that the kernel kills for memory, a clock
# that is stepped, a reboot in the middle of a job. Installs nothing on this machine.
#
#   npm run test:machine            WORK=/dir keeps the root file system for another time (60 s less)
#
# Needs root, a network for debootstrap, and:
packages='qemu-system-x86 linux-image-cloud-amd64 debootstrap busybox-static cpio e2fsprogs kmod'
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
work=${WORK:-$(mktemp -d)}
[ -n "${WORK:-}" ] || trap 'rm -rf "$work"' EXIT

kernel=$(ls /boot 2>/dev/null | sed -n 's/^vmlinuz-\(.*cloud.*\)/\1/p' | tail -1)
for tool in qemu-system-x86_64 debootstrap busybox cpio mke2fs modprobe; do
  command -v $tool >/dev/null || PATH=$PATH:/usr/sbin command -v $tool >/dev/null || kernel=
done
if [ -z "$kernel" ] || [ "$(id -u)" != 0 ]; then
  echo "the machine needs root and: apt-get install --no-install-recommends $packages" >&2
  exit 77
fi
PATH=$PATH:/usr/sbin
log() { printf '\n== %s\n' "$*"; }

log 'package'
node "$here/../../systemd/package/build.ts" --fast --version 9.0.1 --output "$work/package"

if [ ! -d "$work/debian" ]; then
  say 'root file system'
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,procps,iproute2,libstdc++6,ca-certificates \
    bookworm "$work/debian" >"$work/debootstrap.log"
fi
rm -rf "$work/root" "$work/initrd"
cp -a "$work/debian" "$work/root"
cp "$work"/package/*_amd64.deb "$work/root/agent.deb"
chroot "$work/root" dpkg --install /agent.deb
rm "$work/root/agent.deb"
cp "$here/machine-guest.sh" "$work/root/usr/local/bin/machine-guest"
echo 'LABEL=root / ext4 rw 0 1' >"$work/root/etc/fstab"
cat >"$work/root/etc/systemd/system/machine-guest.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash /usr/local/bin/machine-guest
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
[Install]
WantedBy=graphical.target
UNIT
mkdir -p "$work/root/etc/systemd/system/graphical.target.wants"
ln -s ../machine-guest.service "$work/root/etc/systemd/system/graphical.target.wants/"
truncate -s 1500M "$work/root.img"
mke2fs -q -F -t ext4 -L root -d "$work/root" "$work/root.img"

mkdir -p "$work/initrd"/{bin,lib,proc,sys,dev,root}
cp "$(command -v busybox)" "$work/initrd/bin/busybox"
for module in virtio_pci virtio_blk ext4; do modprobe -S "$kernel" --show-depends $module; done |
  awk '/^insmod/ && !seen[$2]++ { print $2 }' >"$work/modules"
xargs -I{} cp {} "$work/initrd/lib/" <"$work/modules"
xargs -n1 basename <"$work/modules" >"$work/initrd/modules"
cat >"$work/initrd/init" <<'INIT'
#!/bin/busybox sh
B=/bin/busybox
$B mount -t proc proc /proc; $B mount -t sysfs sysfs /sys; $B mount -t devtmpfs dev /dev
for module in $($B cat /modules); do $B insmod /lib/$module 2>/dev/null; done
for i in 1 2 3 4 5 6 7 8 9; do [ -b /dev/vda ] && break; $B sleep 0.2; done
$B mount -t ext4 /dev/vda /root; $B umount /proc
exec $B switch_root /root /lib/systemd/systemd
INIT
chmod +x "$work/initrd/init"
(cd "$work/initrd" && find . | cpio -o -H newc 2>/dev/null | gzip -1) >"$work/initrd.gz"

log 'boot'
masked=$(printf ' systemd.mask=%s' systemd-udevd.service systemd-udev-trigger.service getty@tty1.service \
  serial-getty@ttyS0.service dev-ttyS0.device systemd-timesyncd.service)
# Software emulation: works everywhere, about ten times slower than the machine below it.
timeout 1800 qemu-system-x86_64 -M q35,smm=off -accel tcg,thread=multi,tb-size=512 -cpu max -m 1024 -smp 2 -nographic \
  -nic none -kernel "/boot/vmlinuz-$kernel" -initrd "$work/initrd.gz" \
  -drive "file=$work/root.img,format=raw,if=virtio,cache=unsafe" \
  -append "console=ttyS0 panic=1 quiet systemd.show_status=0 random.trust_cpu=on mitigations=off systemd.unit=graphical.target$masked" \
  </dev/null | stdbuf -o0 tr -d '\r' | tee "$work/console.log"
grep -q '^MACHINE OK' "$work/console.log"
