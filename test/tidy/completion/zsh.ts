/** Completion for zsh, with descriptions. Names of jobs go through `compadd`, which quotes and never evaluates them. */
import type { CommandLine, LineOption, Place } from './command-line.ts';
import { hasValueFunction } from './has-value.ts';
import { posixQuoted } from '../../../src/cli/terminal/shell-quote.ts';

export function zshScript(commands: readonly CommandLine[]): string {
  const top = commands.filter(({ command }) => !command.includes(' '));
  const nested = commands.filter(({ command }) => command.includes(' '));
  return `#compdef migration-agent

${hasValueFunction(commands)}

# Adds the jobs that the agent knows. Without an agent there are none.
_migration_agent_jobs() {
  local -a names
  names=("\${(@f)$(migration-agent status --names 2>/dev/null)}")
  names=("\${(@)names:#}")
  compadd -a names
}

_migration_agent() {
  local command=$words[2] previous=$words[CURRENT-1] word
  local -i from=3 place=0 i
  local -a list
  if (( CURRENT == 2 )); then
    list=(
${described(top.map(({ command, summary }) => [command, summary]))}
    )
    _describe -t commands command list
    return
  fi
  if (( CURRENT > 3 )); then
    case "$command $words[3]" in
      ${nested.map(({ command }) => posixQuoted(command)).join(' | ')}) command="$command $words[3]"; from=4 ;;
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
${cases(
  commands.flatMap(({ command, options }) =>
    options.flatMap((option) => valueCase(`${command} ${option.long}`, option)),
  ),
)}
    esac
  elif [[ $words[CURRENT] == -* ]]; then
    list=()
    case "$command" in
${commands
  .map(
    ({ command, options }) =>
      `      ${posixQuoted(command)}) list=(\n${described(options.map(({ long, summary }) => [long, summary]))}\n      ) ;;`,
  )
  .join('\n')}
    esac
    _describe -o options list
  else
    case "$command $place" in
${cases(
  commands.flatMap(({ command, places }) =>
    places.map((place, index) => [`${command} ${index}`, fill(place, command, commands)] as const),
  ),
)}
      *) _files ;;
    esac
  fi
}

if [[ \${funcstack[1]} == _migration_agent ]]; then
  _migration_agent "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
  compdef _migration_agent migration-agent
fi
`;
}

function valueCase(key: string, { value }: LineOption): (readonly [string, string])[] {
  if (value === 'path') return [[key, '_files']];
  if (value === undefined || value === 'text') return [];
  return [[key, `compadd -- ${value.map(posixQuoted).join(' ')}`]];
}

function fill({ choices, jobs }: Place, command: string, all: readonly CommandLine[]): string {
  const summaries = choices.map((choice) => {
    const child = all.find((each) => each.command === `${command} ${choice}`);
    return [choice, child?.summary ?? ''] as const;
  });
  const hasSummaries = summaries.some(([, summary]) => summary !== '');
  const parts = [
    ...(hasSummaries
      ? [`list=(\n${described(summaries)}\n      ); _describe -t commands command list`]
      : choices.length > 0
        ? [`compadd -- ${choices.map(posixQuoted).join(' ')}`]
        : []),
    ...(jobs ? ['_migration_agent_jobs'] : []),
  ];
  return parts.length === 0 ? '_files' : parts.join('; ');
}

/** `_describe` splits at the first colon. */
function described(rows: readonly (readonly [string, string])[]): string {
  return rows
    .map(
      ([name, summary]) =>
        `      ${posixQuoted(`${name.replaceAll(':', String.raw`\:`)}:${summary}`)}`,
    )
    .join('\n');
}

function cases(rows: readonly (readonly [pattern: string, body: string])[]): string {
  return rows.map(([pattern, body]) => `      ${posixQuoted(pattern)}) ${body} ;;`).join('\n');
}
