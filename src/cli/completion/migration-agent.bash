# bash completion for migration-agent

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
  local name
  while IFS= read -r name; do
    candidates+=("$name")
  done < <(migration-agent status --names 2>/dev/null)
}

_migration_agent() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
  local command="${COMP_WORDS[1]}" from=2 place=0 typed="" i candidate quoted
  local -a candidates=()
  COMPREPLY=()
  case "$COMP_CWORD:$command ${COMP_WORDS[2]}" in
    1:* | 2:*) ;;
    *:'config check') command="$command ${COMP_WORDS[2]}" from=3 ;;
    *:'config show') command="$command ${COMP_WORDS[2]}" from=3 ;;
    *:'config schema') command="$command ${COMP_WORDS[2]}" from=3 ;;
    *:'config help') command="$command ${COMP_WORDS[2]}" from=3 ;;
    *:'simulate journal') command="$command ${COMP_WORDS[2]}" from=3 ;;
    *:'simulate audit') command="$command ${COMP_WORDS[2]}" from=3 ;;
    *:'simulate switches') command="$command ${COMP_WORDS[2]}" from=3 ;;
    *:'simulate set') command="$command ${COMP_WORDS[2]}" from=3 ;;
  esac
  # How many values stand before the current word.
  for ((i = from; i < COMP_CWORD; i++)); do
    case "${COMP_WORDS[i]}" in
      --) return ;;
      -*) ! _migration_agent_has_value "$command" "${COMP_WORDS[i]}" || ((i++)) ;;
      *) ((place++)) ;;
    esac
  done
  if [ "$COMP_CWORD" -eq 1 ]; then
    candidates=(dev daemon run start track report status events history logs wait cancel outbox drain resume claim reload config doctor notify simulate demo completion help)
  elif [[ $previous == -* ]] && _migration_agent_has_value "$command" "$previous"; then
    case "$command $previous" in
    'run --progress') candidates=('auto' 'rsync' 'pv' 'percent' 'json' 'pg_basebackup' 'rclone' 'restic' 'qemu_img' 'aws_s3' 'none' 'pg_restore' 'dd' 'tar' 'regex:') ;;
    'report --status') candidates=('completed' 'failed') ;;
    'status --state') candidates=('lost' 'failed' 'fenced' 'stalled' 'refused' 'canceling' 'running' 'starting' 'queued' 'canceled' 'succeeded' 'idle') ;;
    'logs --lines') candidates=('all') ;;
    'logs --stream') candidates=('stdout' 'stderr') ;;
    'wait --for') candidates=('finished' 'delivered') ;;
    'outbox --to') candidates=('migrationHub' 'dataPipeline') ;;
    esac
  elif [[ $current == -* ]]; then
    case "$command" in
    'dev') candidates=('--quiet' '--help') ;;
    'daemon') candidates=('--config' '--help') ;;
    'run') candidates=('--socket' '--name' '--progress' '--cwd' '--env' '--user' '--task' '--migration-hub' '--no-hub' '--wait' '--json' '--help') ;;
    'start') candidates=('--socket' '--wait' '--help') ;;
    'track') candidates=('--socket' '--pid' '--unit' '--status-file' '--stall-after' '--task' '--no-hub' '--from' '--json' '--help') ;;
    'report') candidates=('--socket' '--percent' '--detail' '--status' '--from' '--json' '--help') ;;
    'status') candidates=('--socket' '--state' '--watch' '--all' '--json' '--names' '--help') ;;
    'events') candidates=('--socket' '--limit' '--follow' '--json' '--help') ;;
    'history') candidates=('--socket' '--run' '--limit' '--json' '--help') ;;
    'logs') candidates=('--socket' '--follow' '--lines' '--run' '--stream' '--raw' '--help') ;;
    'wait') candidates=('--socket' '--for' '--help') ;;
    'cancel') candidates=('--socket' '--grace' '--no-wait' '--help') ;;
    'outbox') candidates=('--socket' '--to' '--json' '--help') ;;
    'drain') candidates=('--socket' '--help') ;;
    'resume') candidates=('--socket' '--help') ;;
    'claim') candidates=('--socket' '--help') ;;
    'reload') candidates=('--socket' '--help') ;;
    'config') candidates=('--help') ;;
    'config check') candidates=('--config' '--help') ;;
    'config show') candidates=('--config' '--json' '--help') ;;
    'config schema') candidates=('--help') ;;
    'config help') candidates=() ;;
    'doctor') candidates=('--config' '--socket' '--json' '--iam-policy' '--account' '--region' '--help') ;;
    'notify') candidates=('--progress-update-stream' '--migration-task-name' '--task' '--update-date-time' '--next-update-seconds' '--dry-run' '--no-dry-run' '--cli-input-json' '--generate-cli-skeleton' '--region' '--endpoint-url' '--profile' '--config' '--help') ;;
    'simulate') candidates=('--port' '--home-region' '--no-home-region' '--speed' '--faults' '--set' '--no-throttle' '--state' '--seed' '--help') ;;
    'simulate journal') candidates=('--url' '--json' '--operation' '--errors' '--last' '--follow' '--help') ;;
    'simulate audit') candidates=('--url' '--json' '--help') ;;
    'simulate switches') candidates=('--url' '--json' '--help') ;;
    'simulate set') candidates=('--url' '--help') ;;
    'demo') candidates=('--help') ;;
    'completion') candidates=('--help') ;;
    'help') candidates=() ;;
    esac
  else
    case "$command $place" in
    'run 0') : ;;
    'start 0') _migration_agent_jobs ;;
    'track 0') _migration_agent_jobs ;;
    'report 0') _migration_agent_jobs ;;
    'status 0') _migration_agent_jobs ;;
    'events 0') _migration_agent_jobs ;;
    'history 0') _migration_agent_jobs ;;
    'logs 0') _migration_agent_jobs ;;
    'wait 0') _migration_agent_jobs ;;
    'cancel 0') _migration_agent_jobs ;;
    'outbox 0') candidates=('retry' 'drop'); _migration_agent_jobs ;;
    'outbox 1') _migration_agent_jobs ;;
    'config 0') candidates=('check' 'show' 'schema') ;;
    'config help 0') : ;;
    'simulate 0') candidates=('journal' 'audit' 'switches' 'set') ;;
    'simulate set 0') : ;;
    'completion 0') candidates=('bash' 'zsh' 'fish') ;;
    'help 0') : ;;
    esac
  fi
  # Readline splits a word at characters such as : and =, and replaces the last part only.
  for ((i = COMP_CWORD - 1; i > 1; i--)); do
    [[ ${COMP_LINE:0:COMP_POINT} == *"${COMP_WORDS[i]}$typed$current" ]] || break
    typed="${COMP_WORDS[i]}$typed"
  done
  for candidate in "${candidates[@]}"; do
    printf -v quoted %q "$candidate"
    # Inside quotes that were typed only a name that needs none is offered.
    case "$typed$current" in
      [\'\"]*) [[ $quoted == "$candidate" ]] || continue; quoted="${current:0:1}$quoted" ;;
    esac
    [[ $quoted == "$typed$current"* ]] && COMPREPLY+=("${quoted#"$typed"}")
  done
}
complete -o default -F _migration_agent migration-agent
