/**
 * Completion for bash. A name of a job comes from others, such as the author of a pipeline, so it is data and never
 * shell text: names are read into an array, compared as strings and inserted quoted. Nothing here uses `eval` or
 * `compgen -W`, which expands what it gets.
 */
import type { CommandLine, Place } from './command-line.ts';
import { hasValueFunction } from './has-value.ts';
import { posixQuoted } from '../../../src/cli/terminal/shell-quote.ts';

export function bashScript(commands: readonly CommandLine[]): string {
  const top = commands.filter(({ command }) => !command.includes(' '));
  const nested = commands.filter(({ command }) => command.includes(' '));
  return `# bash completion for migration-agent

${hasValueFunction(commands)}

# Adds the jobs that the agent knows. Without an agent there are none.
_migration_agent_jobs() {
  local name
  while IFS= read -r name; do
    candidates+=("$name")
  done < <(migration-agent status --names 2>/dev/null)
}

_migration_agent() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="\${COMP_WORDS[1]}" from=2 place=0 typed="" i candidate quoted
  local -a candidates=()
  COMPREPLY=()
  case "$COMP_CWORD:$command \${COMP_WORDS[2]}" in
    1:* | 2:*) ;;
${cases(nested.map(({ command }) => [`*:${command}`, 'command="$command ${COMP_WORDS[2]}" from=3'] as const))}
  esac
  # How many values stand before the current word.
  for ((i = from; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      --) return ;;
      -*) ! _migration_agent_has_value "$command" "\${COMP_WORDS[i]}" || ((i++)) ;;
      *) ((place++)) ;;
    esac
  done
  if [ "$COMP_CWORD" -eq 1 ]; then
    candidates=(${top.map(({ command }) => command).join(' ')})
  elif [[ $previous == -* ]] && _migration_agent_has_value "$command" "$previous"; then
    case "$command $previous" in
${cases(
  commands.flatMap(({ command, options }) =>
    options.flatMap(({ long, value }) =>
      Array.isArray(value) ? [[`${command} ${long}`, candidates(value as string[])] as const] : [],
    ),
  ),
)}
    esac
  elif [[ $current == -* ]]; then
    case "$command" in
${cases(commands.map(({ command, options }) => [command, candidates(options.map(({ long }) => long))] as const))}
    esac
  else
    case "$command $place" in
${cases(
  commands.flatMap(({ command, places }) =>
    places.map((place, index) => [`${command} ${index}`, fill(place)] as const),
  ),
)}
    esac
  fi
  # Readline splits a word at characters such as : and =, and replaces the last part only.
  for ((i = COMP_CWORD - 1; i > 1; i--)); do
    [[ \${COMP_LINE:0:COMP_POINT} == *"\${COMP_WORDS[i]}$typed$current" ]] || break
    typed="\${COMP_WORDS[i]}$typed"
  done
  for candidate in "\${candidates[@]}"; do
    printf -v quoted %q "$candidate"
    # Inside quotes that were typed only a name that needs none is offered.
    case "$typed$current" in
      [\\'\\"]*) [[ $quoted == "$candidate" ]] || continue; quoted="\${current:0:1}$quoted" ;;
    esac
    [[ $quoted == "$typed$current"* ]] && COMPREPLY+=("\${quoted#"$typed"}")
  done
}
complete -o default -F _migration_agent migration-agent
`;
}

function candidates(words: readonly string[]): string {
  return `candidates=(${words.map(posixQuoted).join(' ')})`;
}

function fill({ choices, jobs }: Place): string {
  const parts = [
    ...(choices.length === 0 ? [] : [candidates(choices)]),
    ...(jobs ? ['_migration_agent_jobs'] : []),
  ];
  return parts.length === 0 ? ':' : parts.join('; ');
}

function cases(rows: readonly (readonly [pattern: string, body: string])[]): string {
  return rows
    .map(([pattern, body]) => {
      const quoted = pattern.startsWith('*:')
        ? `*:${posixQuoted(pattern.slice(2))}`
        : posixQuoted(pattern);
      return `    ${quoted}) ${body} ;;`;
    })
    .join('\n');
}
