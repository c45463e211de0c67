#!/bin/bash
# Runs inside the machine of machine.sh, once a boot: the first boot ends in a reboot in the middle of a job.
set -u
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
export NO_COLOR=1
phase=/var/lib/machine-phase
reports=/var/lib/machine-reports
config=/etc/migration-agent/config.yaml

log() { echo "-- $*"; }
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
# AWS keeps its own time, whatever is done to the clock of this machine, and remembers everything over the reboot. At
# shutdown it ends after the agent, and leaves its log.
start_aws() {
  systemd-run -q --unit=aws -p Before=migration-agent.service \
    -p "ExecStop=/bin/sh -c 'migration-agent simulate journal --json --operation NotifyMigrationTaskState >$reports'" \
    migration-agent simulate --port 4580 --state /var/lib/machine-aws.json
  until_is 'AWS answers' bash -c '</dev/tcp/127.0.0.1/4580' 2>/dev/null
}
events() { journalctl -u migration-agent -o cat --no-pager | grep "\"event\":\"$1\""; }
# One call a line.
calls() { migration-agent simulate journal --json --operation NotifyMigrationTaskState; }
more_events() { [ "$(events "$1" | wc -l)" -ge "$2" ]; }
more_calls() { [ "$(calls | wc -l)" -gt "$1" ]; }

# step_clock BY NTH: the agent sees it, and goes on reporting by the service's clock.
step_clock() {
  local before
  date -s "$1" >/dev/null
  until_is "step $2 of the clock is noticed" more_events clock.jumped "$2"
  before=$(calls | wc -l)
  until_is "a report comes after step $2" more_calls "$before"
}

first_boot() {
  log "memory controllers: $(cat /sys/fs/cgroup/cgroup.controllers)"
  cat >$config <<'YAML'
aws:
  region: us-west-2
  endpoints: { migrationHub: "http://127.0.0.1:4580", migrationHubConfig: "http://127.0.0.1:4580", dataPipeline: "http://127.0.0.1:4580" }
# A short promise: a report each half minute.
migrationHub: { progressUpdateStream: machine, nextUpdate: 1m }
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
  log "started: $(systemctl show --value -p StatusText migration-agent), $(systemctl show --value -p MemoryCurrent migration-agent) bytes of $(systemctl show --value -p MemoryMax migration-agent)"

  log 'a job takes all memory'
  migration-agent start sleeper && migration-agent start hog || fail 'start of jobs'
  until_is 'the hog is dead' job_has hog '"state":"failed"[^{]*"exitCode":137'
  job_has sleeper '"state":"running"' || fail 'the other job does not run'
  [ "$(systemctl show --value -p NRestarts migration-agent)" = 0 ] || fail 'the agent was killed'
  log "killed: $(journalctl -k -o cat --no-pager | grep -m1 'Killed process')"

  log 'the clock is put an hour ahead, then right again'
  step_clock '+1 hour' 1
  step_clock '-1 hour' 2
  events clock.jumped | sed 's/^/     /'
  events promise.broken && fail 'a promise was broken'
  # A task that was ever stale, an UpdateDateTime that went back: the audit's exit code. One that ran ahead: its numbers.
  migration-agent simulate audit || fail 'AWS saw reports out of order, or stale'
  migration-agent simulate audit --json | grep -o '"aheadSecondsMax": [0-9]*' | awk '$2 > 30 { bad = 1 } END { exit bad }' ||
    fail 'UpdateDateTime followed the stepped clock'
  job_has sleeper '"state":"running"' || fail 'the job does not run any more'

  log 'reboot in the middle of a job'
  echo 2 >$phase
  journalctl --sync
  systemctl reboot
}

second_boot() {
  log "second boot, $(cut -d. -f1 /proc/uptime) s up"
  tail -n 1 $reports | grep -q '"NextUpdateSeconds":3600' || fail "no last promise of an hour before the shutdown: $(tail -n 1 $reports)"
  log 'before the shutdown each promise was stretched to an hour'
  start_aws
  until_is 'the agent runs by itself' systemctl -q is-active migration-agent
  until_is 'the run has an end' bash -c 'migration-agent status --json | tr -d " \n" | grep -Eq "\"name\":\"sleeper\",\"run\":1,\"state\":\"(lost|failed)\""'
  until_is 'its final report is delivered' bash -c 'migration-agent status --json | tr -d " \n" | grep -o "\"name\":\"sleeper\".*" | grep -q "\"delivery\":\"delivered\""'
  migration-agent status
  log "how it ended: $(status | tr -d ' \n' | grep -oE '"name":"sleeper"[^{]*' | grep -oE '"(name|state|exitCode|exitSignal)":("[a-zA-Z]+"|[0-9]+)' | xargs)"
  echo 'MACHINE OK'
  systemctl poweroff
}

case $(cat $phase 2>/dev/null || echo 1) in
  1) first_boot ;;
  2) second_boot ;;
esac
