/** Completion for shells: commands, their options, what options may be, and the jobs that the agent knows. */

export interface CompletionWords {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly { readonly long: string; readonly choices: readonly string[] }[];
  /** Subcommands, or what the first argument may be. */
  readonly words: readonly string[];
  readonly takesJob: boolean;
}

/** Asks the agent; without one there is nothing to complete. */
const JOBS = 'migration-agent status --names 2>/dev/null';

export function completionScript(
  shell: 'bash' | 'zsh' | 'fish',
  commands: readonly CompletionWords[],
): string {
  if (shell === 'fish') return fish(commands);
  // zsh runs bash's completions through bashcompinit.
  return `${shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}${bash(commands)}`;
}

function bash(commands: readonly CompletionWords[]): string {
  const cases = commands.map(({ name, options, words, takesJob }) => {
    const longs = options.map(({ long }) => long).join(' ');
    const plain = takesJob ? `$(${JOBS})` : words.join(' ');
    return `    ${name}) options="${longs}"; words='${plain}' ;;`;
  });
  const choices = commands.flatMap(({ name, options }) =>
    options
      .filter((option) => option.choices.length > 0)
      .map(({ long, choices: all }) => `    ${name}:${long}) words="${all.join(' ')}" ;;`),
  );
  return `_migration_agent() {
  local options="" words="" word="\${COMP_WORDS[COMP_CWORD]}"
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  case "\${COMP_WORDS[1]}:\${COMP_WORDS[COMP_CWORD-1]}" in
${choices.join('\n')}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${commands.map(({ name }) => name).join(' ')}"
  elif [ "\${word#-}" != "$word" ]; then
    words="$options"
  fi
  # The jobs are asked for only when one may stand here.
  case "$words" in '$('*) words="$(${JOBS})" ;; esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _migration_agent migration-agent
`;
}

function fish(commands: readonly CompletionWords[]): string {
  return commands
    .flatMap(({ name, summary, options, words, takesJob }) => {
      const seen = `'__fish_seen_subcommand_from ${name}'`;
      const plain = takesJob ? `(${JOBS})` : words.join(' ');
      return [
        `complete -c migration-agent -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
        ...(plain === '' ? [] : [`complete -c migration-agent -n ${seen} -f -a '${plain}'`]),
        ...options.map(({ long, choices }) => {
          const values = choices.length === 0 ? '' : ` -x -a '${choices.join(' ')}'`;
          return `complete -c migration-agent -n ${seen} -l ${long.slice(2)}${values}`;
        }),
      ];
    })
    .map((line) => `${line}\n`)
    .join('');
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}
