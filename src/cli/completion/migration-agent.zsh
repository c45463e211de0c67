#compdef migration-agent

# Whether the option $2 of the command $1 has a value.
_migration_agent_has_value() {
  case "$1 $2" in
    'daemon --config' | \
    'run --socket' | \
    'run --name' | \
    'run --progress' | \
    'run --cwd' | \
    'run --env' | \
    'run --user' | \
    'run --task' | \
    'run --migration-hub' | \
    'start --socket' | \
    'track --socket' | \
    'track --pid' | \
    'track --unit' | \
    'track --status-file' | \
    'track --stall-after' | \
    'track --task' | \
    'track --from' | \
    'report --socket' | \
    'report --percent' | \
    'report --detail' | \
    'report --status' | \
    'report --from' | \
    'status --socket' | \
    'status --state' | \
    'events --socket' | \
    'events --limit' | \
    'history --socket' | \
    'history --run' | \
    'history --limit' | \
    'logs --socket' | \
    'logs --lines' | \
    'logs --run' | \
    'logs --stream' | \
    'wait --socket' | \
    'wait --for' | \
    'cancel --socket' | \
    'cancel --grace' | \
    'outbox --socket' | \
    'outbox --to' | \
    'drain --socket' | \
    'resume --socket' | \
    'claim --socket' | \
    'reload --socket' | \
    'config check --config' | \
    'config show --config' | \
    'doctor --config' | \
    'doctor --socket' | \
    'doctor --account' | \
    'doctor --region' | \
    'notify --progress-update-stream' | \
    'notify --migration-task-name' | \
    'notify --task' | \
    'notify --update-date-time' | \
    'notify --next-update-seconds' | \
    'notify --cli-input-json' | \
    'notify --generate-cli-skeleton' | \
    'notify --region' | \
    'notify --endpoint-url' | \
    'notify --profile' | \
    'notify --config' | \
    'simulate --port' | \
    'simulate --home-region' | \
    'simulate --speed' | \
    'simulate --faults' | \
    'simulate --set' | \
    'simulate --state' | \
    'simulate --seed' | \
    'simulate journal --url' | \
    'simulate journal --operation' | \
    'simulate journal --last' | \
    'simulate audit --url' | \
    'simulate switches --url' | \
    'simulate set --url') return 0 ;;
  esac
  return 1
}

# Adds the jobs that the agent knows. Without an agent there are none.
_migration_agent_jobs() {
  local -a names
  names=("${(@f)$(migration-agent status --names 2>/dev/null)}")
  names=("${(@)names:#}")
  compadd -a names
}

_migration_agent() {
  local command=$words[2] previous=$words[CURRENT-1] word
  local -i from=3 place=0 i
  local -a list
  if (( CURRENT == 2 )); then
    list=(
      'dev:try an agent with simulated AWS services; nothing is left afterwards'
      'daemon:run the agent in the foreground, as systemd does'
      'run:start an ad hoc job'
      'start:start a configured job'
      'track:report the status of work that somebody else runs'
      'report:report progress, a detail or the end of a job'
      'status:show the jobs of this host and their delivery to AWS'
      'events:show the timeline of a job'
      'history:show what Migration Hub recorded of a job'
      'logs:show what a job wrote'
      'wait:wait for a job, and exit with its result'
      'cancel:stop a job: its whole process tree, and wait until it is gone'
      'outbox:show reports that are pending at AWS; retry or drop them'
      'drain:take no more pipeline tasks; running jobs go on'
      'resume:take pipeline tasks again after a drain'
      'claim:declare that the state directory was moved to this host'
      'reload:read the configuration again; an invalid one is refused'
      'config:check and show the configuration file'
      'doctor:check what this host needs: network, credentials, permissions, clock, disk'
      'notify:send one report to Migration Hub, without a daemon'
      'simulate:serve simulated AWS services on 127.0.0.1'
      'demo:show the agent at work on real files (a minute)'
      'completion:print a completion script for a shell'
      'help:display help for command'
    )
    _describe -t commands command list
    return
  fi
  if (( CURRENT > 3 )); then
    case "$command $words[3]" in
      'config check' | 'config show' | 'config schema' | 'config help' | 'simulate journal' | 'simulate audit' | 'simulate switches' | 'simulate set') command="$command $words[3]"; from=4 ;;
    esac
  fi
  for (( i = from; i < CURRENT; i++ )); do
    word=$words[i]
    if [[ $word == -- ]]; then
      _files
      return
    elif [[ $word == -* ]]; then
      _migration_agent_has_value "$command" "$word" && (( i++ ))
    else
      (( place++ ))
    fi
  done
  if [[ $previous == -* ]] && _migration_agent_has_value "$command" "$previous"; then
    case "$command $previous" in
      'daemon --config') _files ;;
      'run --socket') _files ;;
      'run --progress') compadd -- 'auto' 'rsync' 'pv' 'percent' 'json' 'pg_basebackup' 'rclone' 'restic' 'qemu_img' 'aws_s3' 'none' 'pg_restore' 'dd' 'tar' 'regex:' ;;
      'run --cwd') _files ;;
      'start --socket') _files ;;
      'track --socket') _files ;;
      'track --status-file') _files ;;
      'track --from') _files ;;
      'report --socket') _files ;;
      'report --status') compadd -- 'completed' 'failed' ;;
      'report --from') _files ;;
      'status --socket') _files ;;
      'status --state') compadd -- 'lost' 'failed' 'fenced' 'stalled' 'refused' 'canceling' 'running' 'starting' 'queued' 'canceled' 'succeeded' 'idle' ;;
      'events --socket') _files ;;
      'history --socket') _files ;;
      'logs --socket') _files ;;
      'logs --lines') compadd -- 'all' ;;
      'logs --stream') compadd -- 'stdout' 'stderr' ;;
      'wait --socket') _files ;;
      'wait --for') compadd -- 'finished' 'delivered' ;;
      'cancel --socket') _files ;;
      'outbox --socket') _files ;;
      'outbox --to') compadd -- 'migrationHub' 'dataPipeline' ;;
      'drain --socket') _files ;;
      'resume --socket') _files ;;
      'claim --socket') _files ;;
      'reload --socket') _files ;;
      'config check --config') _files ;;
      'config show --config') _files ;;
      'doctor --config') _files ;;
      'doctor --socket') _files ;;
      'notify --config') _files ;;
      'simulate --faults') _files ;;
      'simulate --state') _files ;;
    esac
  elif [[ $words[CURRENT] == -* ]]; then
    list=()
    case "$command" in
      'dev') list=(
      '--quiet:print the addresses and commands, but not the agent'\''s log'
      '--help:display help for command'
      ) ;;
      'daemon') list=(
      '--config:the configuration file'
      '--help:display help for command'
      ) ;;
      'run') list=(
      '--socket:the agent'\''s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration'
      '--name:name of the job; default: made up from the program'
      '--progress:rsync, pv, percent, json, pg_restore, none, regex:PATTERN, or a JSON object as in the configuration'
      '--cwd:working directory; default: the present one'
      '--env:a variable of its environment; may be repeated'
      '--user:run as this user (the agent must be root)'
      '--task:name of the task in Migration Hub; default: as configured'
      '--migration-hub:more for Migration Hub: a JSON object as in the configuration, such as {"artifacts":["arn:…"]}'
      '--no-hub:do not report to Migration Hub'
      '--wait:wait until it has ended, and exit with its result'
      '--json:print what was started as JSON'
      '--help:display help for command'
      ) ;;
      'start') list=(
      '--socket:the agent'\''s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration'
      '--wait:wait until it has ended, and exit with its result'
      '--help:display help for command'
      ) ;;
      'track') list=(
      '--socket:the agent'\''s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration'
      '--pid:a process, of any user; if it ends without a final report, the run is lost'
      '--unit:a systemd unit: the run that is under way, else the next one'
      '--status-file:a JSON file: {"percent": 40, "detail": "…", "status": "running"}'
      '--stall-after:report a stall when nothing has changed for so long, such as 30m'
      '--task:name of the task in Migration Hub; default: that of the job'
      '--no-hub:do not report to Migration Hub'
      '--from:many at once: a file of JSON lines, or - for standard input'
      '--json:print the answer as JSON'
      '--help:display help for command'
      ) ;;
      'report') list=(
      '--socket:the agent'\''s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration'
      '--percent:0 to 100; never falls within a run'
      '--detail:one line'
      '--status:how it ended; only for tracked jobs'
      '--from:many at once: a file of JSON lines, or - for standard input'
      '--json:print the answer as JSON'
      '--help:display help for command'
      ) ;;
      'status') list=(
      '--socket:the agent'\''s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration'
      '--state:only these, with commas: lost, failed, fenced, stalled, refused, canceling, running, starting, queued, canceled, succeeded, idle'
      '--watch:redraw every second'
      '--all:show every job (default: what fits the terminal, else 50)'
      '--json:print the Status document (with NAME: that job of it)'
      '--names:print only the names of the jobs, one a line'
      '--help:display help for command'
      ) ;;
      'events') list=(
      '--socket:the agent'\''s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration'
      '--limit:at most so many of the newest entries'
      '--follow:stay and show new entries'
      '--json:print one JSON document a line'
      '--help:display help for command'
      ) ;;
      'history') list=(
      '--socket:the agent'\''s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration'
      '--run:another run than the latest'
      '--limit:show at most so many of the newest updates'
      '--json:print everything that was recorded as one JSON document'
      '--help:display help for command'
      ) ;;
      'logs') list=(
      '--socket:the agent'\''s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration'
      '--follow:stay until the run has ended'
      '--lines:the last so many lines, or all; default: 100'
      '--run:a run; default: the latest'
      '--stream:only this one'
      '--raw:pass every byte to the terminal; default: text and colours only'
      '--help:display help for command'
      ) ;;
      'wait') list=(
      '--socket:the agent'\''s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration'
      '--for:finished: it has ended; delivered: and its final reports are delivered'
      '--help:display help for command'
      ) ;;
      'cancel') list=(
      '--socket:the agent'\''s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration'
      '--grace:time between the stop signal and SIGKILL, such as 30s or 1h30m'
      '--no-wait:return at once'
      '--help:display help for command'
      ) ;;
      'outbox') list=(
      '--socket:the agent'\''s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration'
      '--to:only reports to this one'
      '--json:print one JSON document'
      '--help:display help for command'
      ) ;;
      'drain') list=(
      '--socket:the agent'\''s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration'
      '--help:display help for command'
      ) ;;
      'resume') list=(
      '--socket:the agent'\''s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration'
      '--help:display help for command'
      ) ;;
      'claim') list=(
      '--socket:the agent'\''s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration'
      '--help:display help for command'
      ) ;;
      'reload') list=(
      '--socket:the agent'\''s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration'
      '--help:display help for command'
      ) ;;
      'config') list=(
      '--help:display help for command'
      ) ;;
      'config check') list=(
      '--config:the configuration file; default: MIGRATION_AGENT_CONFIG, else /etc/migration-agent/config.yaml'
      '--help:display help for command'
      ) ;;
      'config show') list=(
      '--config:the configuration file; default: MIGRATION_AGENT_CONFIG, else /etc/migration-agent/config.yaml'
      '--json:as JSON'
      '--help:display help for command'
      ) ;;
      'config schema') list=(
      '--help:display help for command'
      ) ;;
      'config help') list=(

      ) ;;
      'doctor') list=(
      '--config:the configuration file'
      '--socket:the daemon'\''s socket; default: that of the configuration'
      '--json:print what was found as JSON'
      '--iam-policy:print the least policy that this configuration needs, and check nothing'
      '--account:for --iam-policy: the account; default: any'
      '--region:for --iam-policy: the home region; default: migrationHub.region, else any'
      '--help:display help for command'
      ) ;;
      'notify') list=(
      '--progress-update-stream:the stream'
      '--migration-task-name:the task'
      '--task:Status=string,StatusDetail=string,ProgressPercent=integer, or JSON; file://PATH reads a file'
      '--update-date-time:seconds since 1970, or a time in ISO 8601'
      '--next-update-seconds:the promise: the next report comes within so many seconds'
      '--dry-run:only check whether the report would be allowed: exit code 0, else 1'
      '--no-dry-run:send it'
      '--cli-input-json:all of this as JSON; options go before it'
      '--generate-cli-skeleton:print such JSON (input), or check and print the answer (output)'
      '--region:default: migrationHub.region of the configuration, or the home region if the section has none, else AWS_REGION'
      '--endpoint-url:another endpoint than that of the configuration'
      '--profile:a profile of the shared AWS files'
      '--config:a configuration file; nothing of it is required'
      '--help:display help for command'
      ) ;;
      'simulate') list=(
      '--port:port; 0 takes a free one'
      '--home-region:the account'\''s home region'
      '--no-home-region:leave the home region unset'
      '--speed:how many times faster simulated time runs'
      '--faults:a YAML file with fault rules, switches and limits'
      '--set:a switch for behaviour that AWS does not document; repeatable (`simulate switches` lists them)'
      '--no-throttle:answer calls over the limits, and only count them'
      '--state:a file for the state of the services, kept over restarts'
      '--seed:the seed of ids and of the random numbers of fault rules'
      '--help:display help for command'
      ) ;;
      'simulate journal') list=(
      '--url:URL of the simulator (default: AWS_ENDPOINT_URL, otherwise http://127.0.0.1:4580)'
      '--json:print JSON'
      '--operation:only calls of this operation'
      '--errors:only calls that failed'
      '--last:only so many calls, the newest'
      '--follow:keep running and print new calls'
      '--help:display help for command'
      ) ;;
      'simulate audit') list=(
      '--url:URL of the simulator (default: AWS_ENDPOINT_URL, otherwise http://127.0.0.1:4580)'
      '--json:print JSON'
      '--help:display help for command'
      ) ;;
      'simulate switches') list=(
      '--url:URL of the simulator (default: AWS_ENDPOINT_URL, otherwise http://127.0.0.1:4580)'
      '--json:print JSON'
      '--help:display help for command'
      ) ;;
      'simulate set') list=(
      '--url:URL of the simulator (default: AWS_ENDPOINT_URL, otherwise http://127.0.0.1:4580)'
      '--help:display help for command'
      ) ;;
      'demo') list=(
      '--help:display help for command'
      ) ;;
      'completion') list=(
      '--help:display help for command'
      ) ;;
      'help') list=(

      ) ;;
    esac
    _describe -o options list
  else
    case "$command $place" in
      'run 0') _files ;;
      'start 0') _migration_agent_jobs ;;
      'track 0') _migration_agent_jobs ;;
      'report 0') _migration_agent_jobs ;;
      'status 0') _migration_agent_jobs ;;
      'events 0') _migration_agent_jobs ;;
      'history 0') _migration_agent_jobs ;;
      'logs 0') _migration_agent_jobs ;;
      'wait 0') _migration_agent_jobs ;;
      'cancel 0') _migration_agent_jobs ;;
      'outbox 0') compadd -- 'retry' 'drop'; _migration_agent_jobs ;;
      'outbox 1') _migration_agent_jobs ;;
      'config 0') list=(
      'check:check the file; exit code 78 when something is wrong'
      'show:show what is in force and where it comes from; secrets are hidden'
      'schema:print the JSON schema of the file, for editors'
      ); _describe -t commands command list ;;
      'config help 0') _files ;;
      'simulate 0') list=(
      'journal:list the calls that a running simulator received, and its answers'
      'audit:list the rules of the AWS documents that clients broke; exit code 1 if there are any'
      'switches:list the switches and their values; those of a running simulator with --url'
      'set:change switches of a running simulator'
      ); _describe -t commands command list ;;
      'simulate set 0') _files ;;
      'completion 0') compadd -- 'bash' 'zsh' 'fish' ;;
      'help 0') _files ;;
      *) _files ;;
    esac
  fi
}

if [[ ${funcstack[1]} == _migration_agent ]]; then
  _migration_agent "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
  compdef _migration_agent migration-agent
fi
