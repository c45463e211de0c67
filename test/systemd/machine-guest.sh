#!/bin/bash
# Runs inside the machine of machine.sh, once a boot: the first boot ends in a reboot in the middle of a job.
set -u
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
phase=/var/lib/machine-phase
config=/etc/migration-agent/config.yaml

say() { echo "-- $*"; }
fail() {
  echo "MACHINE FAILED: $*"
  journalctl -u migration-agent -o cat --no-pager -n 40
  systemctl poweroff
  exit 1
}
status() { migration-agent status --json; }
# until WORDS COMMAND...: looks each second, for two minutes at most; everything is slow in here.
until_is() {
  local what=$1
  shift
  for _ in $(seq 120); do "$@" && return 0; sleep 1; done
  fail "waited in vain until $what"
}
# job NAME FILTER: the job's part of the status has that text.
job_has() { status 2>/dev/null | tr -d ' \n' | grep -o "\"name\":\"$1\".*" | grep -q "^[^{]*$2"; }
# In two boots the simulated AWS is another one; what counts is what the agent remembers.
start_aws() {
  systemd-run -q --unit=aws migration-agent simulate --port 4580
  until_is 'AWS answers' bash -c '</dev/tcp/127.0.0.1/4580' 2>/dev/null
}

first_boot() {
  say "memory controllers: $(cat /sys/fs/cgroup/cgroup.controllers)"
  cat >$config <<'YAML'
aws:
  region: us-west-2
  endpoints: { migrationHub: "http://127.0.0.1:4580", migrationHubConfig: "http://127.0.0.1:4580", dataPipeline: "http://127.0.0.1:4580" }
migrationHub: { progressUpdateStream: machine }
jobs:
  # tail keeps all of an endless line.
  hog: { command: [tail, /dev/zero] }
  sleeper: { command: [sleep, "100000"] }
YAML
  mkdir -p /etc/systemd/system/migration-agent.service.d /etc/credstore
  printf '[default]\naws_access_key_id = A\naws_secret_access_key = b\n' >/etc/credstore/aws-credentials
  printf '[Service]\nMemoryMax=500M\nMemorySwapMax=0\n' >/etc/systemd/system/migration-agent.service.d/memory.conf
  systemctl daemon-reload
  start_aws
  # It was started at boot, with the configuration that comes with the package.
  systemctl restart migration-agent || fail 'start'
  say "started: $(systemctl show --value -p StatusText migration-agent), $(systemctl show --value -p MemoryCurrent migration-agent) bytes of $(systemctl show --value -p MemoryMax migration-agent)"

  say 'a job takes all memory'
  migration-agent start sleeper && migration-agent start hog || fail 'start of jobs'
  until_is 'the hog is dead' job_has hog '"state":"failed"[^{]*"exitCode":137'
  job_has sleeper '"state":"running"' || fail 'the other job does not run'
  [ "$(systemctl show --value -p NRestarts migration-agent)" = 0 ] || fail 'the agent was killed'
  say "killed: $(journalctl -k -o cat --no-pager | grep -m1 'Killed process')"

  say 'the clock is an hour ahead, then right again'
  date -s '+1 hour' >/dev/null
  sleep 15
  date -s '-1 hour' >/dev/null
  sleep 15
  journalctl -u migration-agent -o cat --no-pager | grep -o '"event":"clock.jumped"[^}]*' | sed 's/^/     /'
  journalctl -u migration-agent -o cat --no-pager | grep -q 'clock.jumped' || fail 'the jump was not noticed'
  journalctl -u migration-agent -o cat --no-pager | grep 'promise.broken' && fail 'a promise was broken'
  job_has sleeper '"state":"running"' || fail 'the job does not run any more'

  say 'reboot in the middle of a job'
  echo 2 >$phase
  journalctl --sync
  systemctl reboot
}

second_boot() {
  say "second boot, $(cut -d. -f1 /proc/uptime) s up"
  start_aws
  until_is 'the agent runs by itself' systemctl -q is-active migration-agent
  until_is 'the run has an end' bash -c 'migration-agent status --json | tr -d " \n" | grep -Eq "\"name\":\"sleeper\",\"run\":1,\"state\":\"(lost|failed)\""'
  until_is 'its last word is delivered' bash -c 'migration-agent status --json | tr -d " \n" | grep -o "\"name\":\"sleeper\".*" | grep -q "\"delivery\":\"delivered\""'
  migration-agent status
  say "how it ended: $(status | tr -d ' \n' | grep -oE '"name":"sleeper","run":1,"state":"[a-z]+"(,"exitCode":[0-9]+)?')"
  echo 'MACHINE OK'
  systemctl poweroff
}

case $(cat $phase 2>/dev/null || echo 1) in
  1) first_boot ;;
  2) second_boot ;;
esac
