# fish completion for migration-agent

# Whether the words before the cursor begin with the program and then $argv.
function __migration_agent_is
  set -l words (commandline -opc)
  set -e words[1]
  test (count $words) -ge (count $argv); or return 1
  for i in (seq (count $argv))
    test "$words[$i]" = "$argv[$i]"; or return 1
  end
end

# Whether nothing but the program stands before the cursor.
function __migration_agent_is_first
  test (count (commandline -opc)) -eq 1
end

# Whether exactly $argv stands before the cursor, options left out.
function __migration_agent_is_only
  __migration_agent_is $argv; or return 1
  set -l words (commandline -opc)
  test (count (string match -v -- '-*' $words)) -eq (math 1 + (count $argv))
end

complete -c migration-agent -n __migration_agent_is_first -f -a dev -d 'try an agent with simulated AWS services; nothing is left afterwards'
complete -c migration-agent -n __migration_agent_is_first -f -a daemon -d 'run the agent in the foreground, as systemd does'
complete -c migration-agent -n __migration_agent_is_first -f -a run -d 'start an ad hoc job'
complete -c migration-agent -n __migration_agent_is_first -f -a start -d 'start a configured job'
complete -c migration-agent -n __migration_agent_is_first -f -a track -d 'report the status of work that somebody else runs'
complete -c migration-agent -n __migration_agent_is_first -f -a report -d 'report progress, a detail or the end of a job'
complete -c migration-agent -n __migration_agent_is_first -f -a status -d 'show the jobs of this host and their delivery to AWS'
complete -c migration-agent -n __migration_agent_is_first -f -a events -d 'show the timeline of a job'
complete -c migration-agent -n __migration_agent_is_first -f -a history -d 'show what Migration Hub recorded of a job'
complete -c migration-agent -n __migration_agent_is_first -f -a logs -d 'show what a job wrote'
complete -c migration-agent -n __migration_agent_is_first -f -a wait -d 'wait for a job, and exit with its result'
complete -c migration-agent -n __migration_agent_is_first -f -a cancel -d 'stop a job: its whole process tree, and wait until it is gone'
complete -c migration-agent -n __migration_agent_is_first -f -a outbox -d 'show reports that are pending at AWS; retry or drop them'
complete -c migration-agent -n __migration_agent_is_first -f -a drain -d 'take no more pipeline tasks; running jobs go on'
complete -c migration-agent -n __migration_agent_is_first -f -a resume -d 'take pipeline tasks again after a drain'
complete -c migration-agent -n __migration_agent_is_first -f -a claim -d 'declare that the state directory was moved to this host'
complete -c migration-agent -n __migration_agent_is_first -f -a reload -d 'read the configuration again; an invalid one is refused'
complete -c migration-agent -n __migration_agent_is_first -f -a config -d 'check and show the configuration file'
complete -c migration-agent -n __migration_agent_is_first -f -a doctor -d 'check what this host needs: network, credentials, permissions, clock, disk'
complete -c migration-agent -n __migration_agent_is_first -f -a notify -d 'send one report to Migration Hub, without a daemon'
complete -c migration-agent -n __migration_agent_is_first -f -a simulate -d 'serve simulated AWS services on 127.0.0.1'
complete -c migration-agent -n __migration_agent_is_first -f -a demo -d 'show the agent at work on real files (a minute)'
complete -c migration-agent -n __migration_agent_is_first -f -a completion -d 'print a completion script for a shell'
complete -c migration-agent -n __migration_agent_is_first -f -a help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is dev' -l quiet -d 'print the addresses and commands, but not the agent\'s log'
complete -c migration-agent -n '__migration_agent_is dev' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is daemon' -l config -d 'the configuration file' -r -F
complete -c migration-agent -n '__migration_agent_is daemon' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is run' -l socket -d 'the agent\'s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration' -r -F
complete -c migration-agent -n '__migration_agent_is run' -l name -d 'name of the job; default: made up from the program' -x
complete -c migration-agent -n '__migration_agent_is run' -l progress -d 'rsync, pv, percent, json, pg_restore, none, regex:PATTERN, or a JSON object as in the configuration' -x -a 'auto rsync pv percent json pg_basebackup rclone restic qemu_img aws_s3 none pg_restore dd tar regex:'
complete -c migration-agent -n '__migration_agent_is run' -l cwd -d 'working directory; default: the present one' -r -F
complete -c migration-agent -n '__migration_agent_is run' -l env -d 'a variable of its environment; may be repeated' -x
complete -c migration-agent -n '__migration_agent_is run' -l user -d 'run as this user (the agent must be root)' -x
complete -c migration-agent -n '__migration_agent_is run' -l task -d 'name of the task in Migration Hub; default: as configured' -x
complete -c migration-agent -n '__migration_agent_is run' -l migration-hub -d 'more for Migration Hub: a JSON object as in the configuration, such as {"artifacts":["arn:…"]}' -x
complete -c migration-agent -n '__migration_agent_is run' -l no-hub -d 'do not report to Migration Hub'
complete -c migration-agent -n '__migration_agent_is run' -l wait -d 'wait until it has ended, and exit with its result'
complete -c migration-agent -n '__migration_agent_is run' -l json -d 'print what was started as JSON'
complete -c migration-agent -n '__migration_agent_is run' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is start' -f -a '(migration-agent status --names 2>/dev/null)'
complete -c migration-agent -n '__migration_agent_is start' -l socket -d 'the agent\'s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration' -r -F
complete -c migration-agent -n '__migration_agent_is start' -l wait -d 'wait until it has ended, and exit with its result'
complete -c migration-agent -n '__migration_agent_is start' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is track' -f -a '(migration-agent status --names 2>/dev/null)'
complete -c migration-agent -n '__migration_agent_is track' -l socket -d 'the agent\'s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration' -r -F
complete -c migration-agent -n '__migration_agent_is track' -l pid -d 'a process, of any user; if it ends without a final report, the run is lost' -x
complete -c migration-agent -n '__migration_agent_is track' -l unit -d 'a systemd unit: the run that is under way, else the next one' -x
complete -c migration-agent -n '__migration_agent_is track' -l status-file -d 'a JSON file: {"percent": 40, "detail": "…", "status": "running"}' -r -F
complete -c migration-agent -n '__migration_agent_is track' -l stall-after -d 'report a stall when nothing has changed for so long, such as 30m' -x
complete -c migration-agent -n '__migration_agent_is track' -l task -d 'name of the task in Migration Hub; default: that of the job' -x
complete -c migration-agent -n '__migration_agent_is track' -l no-hub -d 'do not report to Migration Hub'
complete -c migration-agent -n '__migration_agent_is track' -l from -d 'many at once: a file of JSON lines, or - for standard input' -r -F
complete -c migration-agent -n '__migration_agent_is track' -l json -d 'print the answer as JSON'
complete -c migration-agent -n '__migration_agent_is track' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is report' -f -a '(migration-agent status --names 2>/dev/null)'
complete -c migration-agent -n '__migration_agent_is report' -l socket -d 'the agent\'s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration' -r -F
complete -c migration-agent -n '__migration_agent_is report' -l percent -d '0 to 100; never falls within a run' -x
complete -c migration-agent -n '__migration_agent_is report' -l detail -d 'one line' -x
complete -c migration-agent -n '__migration_agent_is report' -l status -d 'how it ended; only for tracked jobs' -x -a 'completed failed'
complete -c migration-agent -n '__migration_agent_is report' -l from -d 'many at once: a file of JSON lines, or - for standard input' -r -F
complete -c migration-agent -n '__migration_agent_is report' -l json -d 'print the answer as JSON'
complete -c migration-agent -n '__migration_agent_is report' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is status' -f -a '(migration-agent status --names 2>/dev/null)'
complete -c migration-agent -n '__migration_agent_is status' -l socket -d 'the agent\'s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration' -r -F
complete -c migration-agent -n '__migration_agent_is status' -l state -d 'only these, with commas: lost, failed, fenced, stalled, refused, canceling, running, starting, queued, canceled, succeeded, idle' -x -a 'lost failed fenced stalled refused canceling running starting queued canceled succeeded idle'
complete -c migration-agent -n '__migration_agent_is status' -l watch -d 'redraw every second'
complete -c migration-agent -n '__migration_agent_is status' -l all -d 'show every job (default: what fits the terminal, else 50)'
complete -c migration-agent -n '__migration_agent_is status' -l json -d 'print the Status document (with NAME: that job of it)'
complete -c migration-agent -n '__migration_agent_is status' -l names -d 'print only the names of the jobs, one a line'
complete -c migration-agent -n '__migration_agent_is status' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is events' -f -a '(migration-agent status --names 2>/dev/null)'
complete -c migration-agent -n '__migration_agent_is events' -l socket -d 'the agent\'s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration' -r -F
complete -c migration-agent -n '__migration_agent_is events' -l limit -d 'at most so many of the newest entries' -x
complete -c migration-agent -n '__migration_agent_is events' -l follow -d 'stay and show new entries'
complete -c migration-agent -n '__migration_agent_is events' -l json -d 'print one JSON document a line'
complete -c migration-agent -n '__migration_agent_is events' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is history' -f -a '(migration-agent status --names 2>/dev/null)'
complete -c migration-agent -n '__migration_agent_is history' -l socket -d 'the agent\'s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration' -r -F
complete -c migration-agent -n '__migration_agent_is history' -l run -d 'another run than the latest' -x
complete -c migration-agent -n '__migration_agent_is history' -l limit -d 'show at most so many of the newest updates' -x
complete -c migration-agent -n '__migration_agent_is history' -l json -d 'print everything that was recorded as one JSON document'
complete -c migration-agent -n '__migration_agent_is history' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is logs' -f -a '(migration-agent status --names 2>/dev/null)'
complete -c migration-agent -n '__migration_agent_is logs' -l socket -d 'the agent\'s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration' -r -F
complete -c migration-agent -n '__migration_agent_is logs' -l follow -d 'stay until the run has ended'
complete -c migration-agent -n '__migration_agent_is logs' -l lines -d 'the last so many lines, or all; default: 100' -x -a 'all'
complete -c migration-agent -n '__migration_agent_is logs' -l run -d 'a run; default: the latest' -x
complete -c migration-agent -n '__migration_agent_is logs' -l stream -d 'only this one' -x -a 'stdout stderr'
complete -c migration-agent -n '__migration_agent_is logs' -l raw -d 'pass every byte to the terminal; default: text and colours only'
complete -c migration-agent -n '__migration_agent_is logs' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is wait' -f -a '(migration-agent status --names 2>/dev/null)'
complete -c migration-agent -n '__migration_agent_is wait' -l socket -d 'the agent\'s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration' -r -F
complete -c migration-agent -n '__migration_agent_is wait' -l for -d 'finished: it has ended; delivered: and its final reports are delivered' -x -a 'finished delivered'
complete -c migration-agent -n '__migration_agent_is wait' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is cancel' -f -a '(migration-agent status --names 2>/dev/null)'
complete -c migration-agent -n '__migration_agent_is cancel' -l socket -d 'the agent\'s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration' -r -F
complete -c migration-agent -n '__migration_agent_is cancel' -l grace -d 'time between the stop signal and SIGKILL, such as 30s or 1h30m' -x
complete -c migration-agent -n '__migration_agent_is cancel' -l no-wait -d 'return at once'
complete -c migration-agent -n '__migration_agent_is cancel' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is outbox' -f -a 'retry drop (migration-agent status --names 2>/dev/null)'
complete -c migration-agent -n '__migration_agent_is outbox' -f -a '(migration-agent status --names 2>/dev/null)'
complete -c migration-agent -n '__migration_agent_is outbox' -l socket -d 'the agent\'s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration' -r -F
complete -c migration-agent -n '__migration_agent_is outbox' -l to -d 'only reports to this one' -x -a 'migrationHub dataPipeline'
complete -c migration-agent -n '__migration_agent_is outbox' -l json -d 'print one JSON document'
complete -c migration-agent -n '__migration_agent_is outbox' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is drain' -l socket -d 'the agent\'s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration' -r -F
complete -c migration-agent -n '__migration_agent_is drain' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is resume' -l socket -d 'the agent\'s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration' -r -F
complete -c migration-agent -n '__migration_agent_is resume' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is claim' -l socket -d 'the agent\'s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration' -r -F
complete -c migration-agent -n '__migration_agent_is claim' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is reload' -l socket -d 'the agent\'s socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration' -r -F
complete -c migration-agent -n '__migration_agent_is reload' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is config' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is_only config' -f -a check -d 'check the file; exit code 78 when something is wrong'
complete -c migration-agent -n '__migration_agent_is config check' -l config -d 'the configuration file; default: MIGRATION_AGENT_CONFIG, else /etc/migration-agent/config.yaml' -r -F
complete -c migration-agent -n '__migration_agent_is config check' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is_only config' -f -a show -d 'show what is in force and where it comes from; secrets are hidden'
complete -c migration-agent -n '__migration_agent_is config show' -l config -d 'the configuration file; default: MIGRATION_AGENT_CONFIG, else /etc/migration-agent/config.yaml' -r -F
complete -c migration-agent -n '__migration_agent_is config show' -l json -d 'as JSON'
complete -c migration-agent -n '__migration_agent_is config show' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is_only config' -f -a schema -d 'print the JSON schema of the file, for editors'
complete -c migration-agent -n '__migration_agent_is config schema' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is_only config' -f -a help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is doctor' -l config -d 'the configuration file' -r -F
complete -c migration-agent -n '__migration_agent_is doctor' -l socket -d 'the daemon\'s socket; default: that of the configuration' -r -F
complete -c migration-agent -n '__migration_agent_is doctor' -l json -d 'print what was found as JSON'
complete -c migration-agent -n '__migration_agent_is doctor' -l iam-policy -d 'print the least policy that this configuration needs, and check nothing'
complete -c migration-agent -n '__migration_agent_is doctor' -l account -d 'for --iam-policy: the account; default: any' -x
complete -c migration-agent -n '__migration_agent_is doctor' -l region -d 'for --iam-policy: the home region; default: migrationHub.region, else any' -x
complete -c migration-agent -n '__migration_agent_is doctor' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is notify' -l progress-update-stream -d 'the stream' -x
complete -c migration-agent -n '__migration_agent_is notify' -l migration-task-name -d 'the task' -x
complete -c migration-agent -n '__migration_agent_is notify' -l task -d 'Status=string,StatusDetail=string,ProgressPercent=integer, or JSON; file://PATH reads a file' -x
complete -c migration-agent -n '__migration_agent_is notify' -l update-date-time -d 'seconds since 1970, or a time in ISO 8601' -x
complete -c migration-agent -n '__migration_agent_is notify' -l next-update-seconds -d 'the promise: the next report comes within so many seconds' -x
complete -c migration-agent -n '__migration_agent_is notify' -l dry-run -d 'only check whether the report would be allowed: exit code 0, else 1'
complete -c migration-agent -n '__migration_agent_is notify' -l no-dry-run -d 'send it'
complete -c migration-agent -n '__migration_agent_is notify' -l cli-input-json -d 'all of this as JSON; options go before it' -x
complete -c migration-agent -n '__migration_agent_is notify' -l generate-cli-skeleton -d 'print such JSON (input), or check and print the answer (output)' -x
complete -c migration-agent -n '__migration_agent_is notify' -l region -d 'default: migrationHub.region of the configuration, or the home region if the section has none, else AWS_REGION' -x
complete -c migration-agent -n '__migration_agent_is notify' -l endpoint-url -d 'another endpoint than that of the configuration' -x
complete -c migration-agent -n '__migration_agent_is notify' -l profile -d 'a profile of the shared AWS files' -x
complete -c migration-agent -n '__migration_agent_is notify' -l config -d 'a configuration file; nothing of it is required' -r -F
complete -c migration-agent -n '__migration_agent_is notify' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is simulate' -l port -d 'port; 0 takes a free one' -x
complete -c migration-agent -n '__migration_agent_is simulate' -l home-region -d 'the account\'s home region' -x
complete -c migration-agent -n '__migration_agent_is simulate' -l no-home-region -d 'leave the home region unset'
complete -c migration-agent -n '__migration_agent_is simulate' -l speed -d 'how many times faster simulated time runs' -x
complete -c migration-agent -n '__migration_agent_is simulate' -l faults -d 'a YAML file with fault rules, switches and limits' -r -F
complete -c migration-agent -n '__migration_agent_is simulate' -l set -d 'a switch for behaviour that AWS does not document; repeatable (`simulate switches` lists them)' -x
complete -c migration-agent -n '__migration_agent_is simulate' -l no-throttle -d 'answer calls over the limits, and only count them'
complete -c migration-agent -n '__migration_agent_is simulate' -l state -d 'a file for the state of the services, kept over restarts' -r -F
complete -c migration-agent -n '__migration_agent_is simulate' -l seed -d 'the seed of ids and of the random numbers of fault rules' -x
complete -c migration-agent -n '__migration_agent_is simulate' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is_only simulate' -f -a journal -d 'list the calls that a running simulator received, and its answers'
complete -c migration-agent -n '__migration_agent_is simulate journal' -l url -d 'URL of the simulator (default: AWS_ENDPOINT_URL, otherwise http://127.0.0.1:4580)' -x
complete -c migration-agent -n '__migration_agent_is simulate journal' -l json -d 'print JSON'
complete -c migration-agent -n '__migration_agent_is simulate journal' -l operation -d 'only calls of this operation' -x
complete -c migration-agent -n '__migration_agent_is simulate journal' -l errors -d 'only calls that failed'
complete -c migration-agent -n '__migration_agent_is simulate journal' -l last -d 'only so many calls, the newest' -x
complete -c migration-agent -n '__migration_agent_is simulate journal' -l follow -d 'keep running and print new calls'
complete -c migration-agent -n '__migration_agent_is simulate journal' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is_only simulate' -f -a audit -d 'list the rules of the AWS documents that clients broke; exit code 1 if there are any'
complete -c migration-agent -n '__migration_agent_is simulate audit' -l url -d 'URL of the simulator (default: AWS_ENDPOINT_URL, otherwise http://127.0.0.1:4580)' -x
complete -c migration-agent -n '__migration_agent_is simulate audit' -l json -d 'print JSON'
complete -c migration-agent -n '__migration_agent_is simulate audit' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is_only simulate' -f -a switches -d 'list the switches and their values; those of a running simulator with --url'
complete -c migration-agent -n '__migration_agent_is simulate switches' -l url -d 'URL of the simulator (default: AWS_ENDPOINT_URL, otherwise http://127.0.0.1:4580)' -x
complete -c migration-agent -n '__migration_agent_is simulate switches' -l json -d 'print JSON'
complete -c migration-agent -n '__migration_agent_is simulate switches' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is_only simulate' -f -a set -d 'change switches of a running simulator'
complete -c migration-agent -n '__migration_agent_is simulate set' -l url -d 'URL of the simulator (default: AWS_ENDPOINT_URL, otherwise http://127.0.0.1:4580)' -x
complete -c migration-agent -n '__migration_agent_is simulate set' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is demo' -l help -d 'display help for command'
complete -c migration-agent -n '__migration_agent_is completion' -f -a 'bash zsh fish'
complete -c migration-agent -n '__migration_agent_is completion' -l help -d 'display help for command'
