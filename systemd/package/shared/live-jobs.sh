#!/bin/sh
# shellcheck disable=SC2034
# Names of the jobs that run, one a line. A process counts by its control group, which nobody but root and the agent's user
# can put it into; its environment only adds a name. So other users' processes count for nothing, whatever they claim.
# Names are shortened and printed without control characters: a job may have changed its own environment.
live_jobs() {
  uid=$(id -u migration-agent 2>/dev/null) || uid=none
  main=$(systemctl show --property MainPID migration-agent.service 2>/dev/null) || main=
  unit=$(systemctl show --property ControlGroup migration-agent.service 2>/dev/null) || unit=
  unit=${unit#ControlGroup=}
  [ -n "$unit" ] || unit=/migration.slice/migration-agent.service
  jobs_of_user="/user.slice/user-$uid.slice/user@$uid.service/migration.slice/migration-jobs.slice/"
  for directory in /proc/[0-9]*; do
    pid=${directory#/proc/}
    [ "MainPID=$pid" != "$main" ] || continue
    # cgroup v1 has a line for each controller; the hierarchy of systemd is the one that counts.
    group=$(sed -n -e 's/^[0-9]*:name=systemd://p' -e 's/^0:://p' "$directory/cgroup" 2>/dev/null |
      grep -E -e "^$unit(/|\$)" -e '^/migration.slice/migration-jobs.slice/' -e "^$jobs_of_user" | head -n 1)
    case $group in '' | "$unit/agent") continue ;; esac
    name=$({ tr '\0\n' '\n?' <"$directory/environ"; } 2>/dev/null | sed -n 's/^MIGRATION_JOB=//p' |
      head -n 1 | LC_ALL=C tr -c 'A-Za-z0-9._@=+\n-' '?' | cut -c 1-100)
    if [ -n "$name" ]; then
      echo "$name"
    elif [ "$group" != "$unit" ]; then
      # A helper of the agent has no name; a job that has cleared its environment has a group of its own.
      echo "(process $pid)"
    fi
  done | sort -u
}

# Ends the script if jobs run. $1: the command that removes the package all the same.
refuse_while_jobs_run() {
  [ -z "$MIGRATION_AGENT_FORCE_REMOVE" ] || return 0
  jobs=$(live_jobs)
  [ -n "$jobs" ] || return 0
  {
    echo "migration-agent is not removed: these jobs run, and nothing would report them any more:"
    echo "$jobs" | sed 's/^/  /'
    echo "Wait for them (migration-agent wait NAME --for delivered), or end them (migration-agent cancel NAME)."
    echo "To remove it all the same and let them run without an agent: $1"
  } >&2
  exit 1
}
