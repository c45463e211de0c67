#!/bin/bash
# A throw-away box with a real systemd as its PID 1, over the host's own root file system.
#
#   systemd-box.sh start [HOSTDIR:BOXDIR ...]   boots it, waits until it is up
#   systemd-box.sh run COMMAND...               runs a command in it
#   systemd-box.sh stop                         powers it off; nothing of it is left
#   systemd-box.sh check                        says what is missing here, or nothing
#
# BOX=/path names the box (a directory of its own; several may run at once). In it: namespaces of its own (mounts,
# pids, network, hostname, IPC, cgroups); / is an overlay whose changes go to memory; /tmp, /run and /dev are fresh;
# cgroups are pure v2; only the loopback device. Clocks and boot id are the host's: never set the clock in there.
set -u

BOX=${BOX:-/tmp/migration-agent-box}
SELF=$(readlink -f "$0")

# Where this kernel shows cgroup v2: of its own, or beside v1.
unified() {
  awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts
}

# The cgroup of the box and of everything in it.
cgroup() {
  echo "$(unified)/$(basename "$BOX")"
}

# Host pid of the systemd in the box.
systemd_pid() {
  local outer
  outer=$(cat "$BOX.pid" 2>/dev/null) && tr ' ' '\n' <"/proc/$outer/task/$outer/children" 2>/dev/null | head -1
}

check() {
  [ "$(id -u)" = 0 ] || { echo 'needs root'; return; }
  [ -x /lib/systemd/systemd ] || { echo 'systemd is not installed'; return; }
  for tool in unshare nsenter ip; do
    command -v $tool >/dev/null || { echo "$tool is not installed"; return; }
  done
  [ -n "$(unified)" ] || { echo 'cgroup v2 is not mounted'; return; }
  [ -w "$(unified)/cgroup.procs" ] || { echo 'cgroup v2 is read-only'; return; }
  unshare --mount --pid --fork --uts --ipc --net --cgroup true 2>/dev/null || echo 'no namespaces may be made here'
}

start() {
  mkdir -p "$BOX" "$(cgroup)"
  (
    echo "$BASHPID" >"$(cgroup)/cgroup.procs"
    echo "$BASHPID" >"$BOX.pid"
    exec setsid unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup --propagation private \
      bash "$SELF" --inside "$BOX" "$@"
  ) >"$BOX.log" 2>&1 </dev/null &
  local state
  for _ in $(seq 600); do
    state=$(bash "$SELF" run systemctl is-system-running 2>/dev/null)
    case $state in running | degraded) return 0 ;; esac
    sleep 0.1
  done
  cat "$BOX.log" >&2
  echo "the box did not come up (${state:-no systemd})" >&2
  return 1
}

# In the namespaces of the box, before its systemd: builds its root and becomes it.
inside() {
  local unit device bind
  BOX=$1
  shift
  set -e
  mount -t tmpfs -o mode=755 box "$BOX"
  cd "$BOX"
  mkdir lower upper work root
  mount --bind / lower
  mount -t overlay box -o lowerdir=lower,upperdir=upper,workdir=work root
  cd root
  mount -t proc proc proc
  mount -t sysfs -o ro sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount -t tmpfs -o mode=755 tmpfs run
  mount -t tmpfs -o mode=1777 tmpfs tmp
  mount -t tmpfs -o mode=755 tmpfs dev
  for device in null zero full random urandom tty; do
    touch "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
  done
  mkdir dev/pts dev/shm
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  mount -t tmpfs -o mode=1777 tmpfs dev/shm
  for bind in "$@"; do
    mkdir -p "./${bind##*:}"
    mount --bind "${bind%%:*}" "./${bind##*:}"
  done
  # Services of the host that the box does not want, and hardware that it does not have.
  for unit in postgresql.service postgresql@15-main.service redis-server.service systemd-logind.service \
    systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket; do
    ln -sf /dev/null "etc/systemd/system/$unit"
  done
  ip link set lo up
  hostname migration-box
  mkdir -p old
  pivot_root . old
  umount -l /old
  exec env -i container=migration-box PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system
}

run() {
  local pid
  pid=$(systemd_pid)
  [ -n "$pid" ] || { echo 'the box does not run' >&2; return 125; }
  exec nsenter -t "$pid" -a "$@"
}

stop() {
  local inner outer
  inner=$(systemd_pid)
  outer=$(cat "$BOX.pid" 2>/dev/null) || return 0
  # SIGRTMIN+4 is how systemd is told to power off.
  [ -n "$inner" ] && kill -s RTMIN+4 "$inner"
  for _ in $(seq 100); do
    kill -0 "$outer" 2>/dev/null || break
    sleep 0.1
  done
  kill -9 "$outer" 2>/dev/null
  for _ in $(seq 50); do
    find "$(cgroup)" -depth -type d -exec rmdir {} \; 2>/dev/null
    [ -d "$(cgroup)" ] || break
    sleep 0.1
  done
  rm -f "$BOX.pid" "$BOX.log"
  rmdir "$BOX" 2>/dev/null
  return 0
}

case ${1:-} in
  check) check ;;
  start) shift; start "$@" ;;
  run) shift; run "$@" ;;
  stop) stop ;;
  --inside) shift; inside "$@" ;;
  *) echo "usage: $0 check | start [HOSTDIR:BOXDIR ...] | run COMMAND... | stop" >&2; exit 2 ;;
esac
