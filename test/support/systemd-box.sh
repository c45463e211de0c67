#!/bin/bash
# A throw-away box with a real systemd as its PID 1, booted in about a second, from this machine's own files or those of
# another distribution.
#
#   systemd-box.sh check                        can a box boot here? says why not, exit code 77
#   systemd-box.sh start [HOSTDIR:BOXDIR ...]   boots; the directories are shared with the box
#   systemd-box.sh run COMMAND...               runs a command in the box, as its root
#   systemd-box.sh stop                         ends every process of the box and removes it
#   systemd-box.sh hold [HOSTDIR:BOXDIR ...]    boots, says "up", stops when standard input ends
#
# BOX names the box's directory (default /tmp/systemd-box): one for each, and several live side by side.
# ROOT is the root file system (default /), which the box does not change: mmdebstrap makes others (debian-root.ts).
#
# Mount, pid, network, ipc, host name and cgroup namespaces of its own; all of / is there, and what is written
# goes into memory. /tmp, /run, /dev and /proc are fresh, the network is a loopback, no service of this machine
# is started. cgroup v2 alone is seen; it has controllers (memory, cpu) only where the host runs pure v2. The
# clock and the boot id are the host's: never set the clock in here.
# Needs root, bash, util-linux, iproute2, systemd. `hold` is for tests: a test that is killed leaves no box behind.
set -u
BOX=${BOX:-/tmp/systemd-box}
ROOT=${ROOT:-/}
cgroups=/sys/fs/cgroup
[ -d $cgroups/unified ] && cgroups=$cgroups/unified
cgroup=$cgroups/$(basename "$BOX")

cannot() {
  echo "no systemd box here: $*" >&2
  exit 77
}

check() {
  [ "$(id -u)" = 0 ] || cannot "needs root"
  chroot "$ROOT" test -x /lib/systemd/systemd || cannot "systemd is not installed"
  for tool in unshare nsenter setsid pivot_root ip mount; do
    command -v $tool >/dev/null || cannot "$tool is missing (util-linux, iproute2)"
  done
  if ! [ -f $cgroups/cgroup.procs ] || ! [ -w $cgroups/cgroup.procs ]; then cannot "no writable cgroup v2 at $cgroups"; fi
  unshare --mount --pid --fork --uts --ipc --net --cgroup true 2>/dev/null || cannot "namespaces are not allowed"
  unshare --mount sh -ec 'mount -t tmpfs x /tmp; cd /tmp; mkdir l u w m; mount --bind / l
    mount -t overlay x -o lowerdir=l,upperdir=u,workdir=w m' 2>/dev/null ||
    cannot "an overlay over / cannot be mounted"
}

# PID 1 of the box, as the host sees it: the only child of `unshare`.
leader() {
  local parent
  parent=$(cat "$BOX/pid" 2>/dev/null) && cut -d ' ' -f 1 "/proc/$parent/task/$parent/children" 2>/dev/null
}

inside() {
  local pid
  pid=$(leader)
  [ -n "$pid" ] || { echo "systemd box $BOX is not up" >&2; exit 1; }
  # An environment of its own: what the caller's variables say is about the host.
  exec nsenter -t "$pid" --all env -i container=systemd-box HOME=/root LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# Runs in the new namespaces: builds the root and becomes systemd.
# shellcheck disable=SC2016
readonly BUILD='
set -e
mount -t tmpfs -o mode=755 box "$BOX/root"; cd "$BOX/root"
mkdir lower upper work merged empty
mount --bind "$ROOT" lower
mount -t overlay box -o lowerdir=lower,upperdir=upper,workdir=work merged; cd merged
mount -t proc proc proc; mount -t sysfs -o ro sysfs sys; mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 run run; mount -t tmpfs -o mode=1777 tmp tmp; mount -t tmpfs -o mode=755 dev dev
for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/pts dev/shm; mount -t tmpfs -o mode=1777 shm dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts; ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd; ln -s fd/0 dev/stdin; ln -s fd/1 dev/stdout; ln -s fd/2 dev/stderr
for share in "$@"; do mkdir -p "./${share##*:}"; mount --bind "${share%%:*}" "./${share##*:}"; done
# What this machine starts at boot is no business of the box; devices and seats are not there.
rm -rf etc/systemd/system/*.wants etc/systemd/system/*.requires
for unit in systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-logind.service; do
  ln -sf /dev/null etc/systemd/system/$unit
done
ip link set lo up; hostname systemd-box
mkdir -p old; pivot_root . old; hash -r; umount -l /old; rmdir /old
# As nspawn does: credentials of units are mounted by helpers of systemd, and must be seen by all.
mount --make-rshared /
# On the files of this machine no generators: no mounts of /etc/fstab, no services of other kinds.
[ "$ROOT" != / ] || generators=SYSTEMD_GENERATOR_PATH=/nonexistent
exec env -i container=systemd-box $generators PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --system'

start() {
  check
  [ -z "$(leader)" ] || { echo "systemd box $BOX is up already" >&2; exit 1; }
  mkdir -p "$BOX/root" "$cgroup"
  (
    echo "$BASHPID" >"$cgroup/cgroup.procs"
    echo "$BASHPID" >"$BOX/pid"
    export BOX ROOT
    exec setsid unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup --propagation private \
      bash -c "$BUILD" build "$@"
  ) >"$BOX/log" 2>&1 </dev/null &
  # A loaded machine takes its time: half a minute. Boot itself is one second.
  for _ in $(seq 600); do
    kill -0 $! 2>/dev/null || break
    case $( (inside systemctl is-system-running) 2>/dev/null) in
      running | degraded) return 0 ;;
    esac
    sleep 0.05
  done
  echo "systemd box $BOX did not come up:" >&2
  cat "$BOX/log" >&2
  stop
  exit 1
}

# PID 1 of a namespace takes everybody with it; its mounts and files were only there.
stop() {
  local parent
  parent=$(cat "$BOX/pid" 2>/dev/null) && kill -9 "$parent" 2>/dev/null
  for _ in $(seq 200); do
    grep -qs 'populated 0' "$cgroup/cgroup.events" && break
    [ -d "$cgroup" ] || break
    sleep 0.05
  done
  [ -d "$cgroup" ] && find "$cgroup" -depth -type d -exec rmdir {} +
  rm -f "$BOX/pid" "$BOX/log"
  [ ! -d "$BOX" ] || rmdir "$BOX/root" "$BOX"
}

case ${1:-} in
  check) check ;;
  start) shift && start "$@" ;;
  run) shift && inside "$@" ;;
  stop) stop ;;
  hold)
    shift
    trap stop EXIT
    trap 'exit 143' TERM INT HUP
    start "$@"
    echo up
    cat >/dev/null
    ;;
  *)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
