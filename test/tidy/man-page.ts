/** The manual page, migration-agent(1), made from the help of the commands, with groff's man macros. */
import type { Command } from 'commander';

const EXIT_CODES: readonly (readonly [string, string])[] = [
  ['0', 'ok'],
  ['1', 'the job failed; the agent could not start'],
  ['2', 'wrong usage'],
  ['3', 'no such job'],
  ['4', 'no daemon answers'],
  ['5', 'the result is lost or not known'],
  ['6', 'a cancel is incomplete: processes outlived SIGKILL'],
  ['75', 'Data Pipeline asked the task runner to terminate; it is not restarted'],
  ['78', 'the configuration is wrong'],
];

const FILES: readonly (readonly [string, string])[] = [
  [
    '/etc/migration-agent/config.yaml',
    'the configuration; --config or MIGRATION_AGENT_CONFIG name another; examples are in /usr/share/doc/migration-agent/config',
  ],
  [
    '/run/migration-agent/agent.sock',
    'the socket of the daemon; --socket or MIGRATION_AGENT_SOCKET name another',
  ],
  ['/var/lib/migration-agent', 'what the agent remembers, and the output of jobs'],
];

export function manPage(program: Command, version: string): string {
  const help = program.createHelp();
  return [
    `.TH MIGRATION-AGENT 1 "" "migration-agent ${version}" "User Commands"`,
    '.SH NAME',
    `migration\\-agent \\- ${roff(program.description())}`,
    '.SH SYNOPSIS',
    '.B migration\\-agent',
    '.I command',
    '[options]',
    '.SH COMMANDS',
    ...help
      .visibleCommands(program)
      .flatMap((command) => (command.name() === 'help' ? [] : section(command, 'migration-agent'))),
    '.SH EXIT STATUS',
    ...EXIT_CODES.flatMap(([code, message]) => ['.TP', `.B ${code}`, roff(message)]),
    '.SH ENVIRONMENT',
    '.TP',
    '.B MIGRATION_AGENT_CONFIG, MIGRATION_AGENT_SOCKET',
    'the configuration file, the socket',
    '.TP',
    '.B NO_COLOR',
    'no colours, whatever the terminal knows',
    '.TP',
    '.B AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, HTTPS_PROXY, NO_PROXY …',
    'as every program of AWS takes them',
    '.SH FILES',
    ...FILES.flatMap(([file, message]) => ['.TP', `.I ${roff(file)}`, roff(message)]),
    '.SH SEE ALSO',
    '.BR systemctl (1),',
    '.BR journalctl (1)',
    '',
  ].join('\n');
}

function section(command: Command, parent: string): string[] {
  const help = command.createHelp();
  const name = `${parent} ${command.name()}`;
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help');
  return [
    `.SS ${roff(`${name} ${command.usage()}`.trim())}`,
    roff(command.description()),
    ...command.registeredArguments.flatMap((argument) => [
      '.TP',
      `.I ${roff(argument.name())}`,
      roff(help.argumentDescription(argument)),
    ]),
    ...options.flatMap((option) => [
      '.TP',
      `.B ${roff(option.flags)}`,
      roff(help.optionDescription(option)),
    ]),
    ...command.commands.flatMap((each) => section(each, name)),
  ];
}

/** Text that groff takes as it is: backslashes, hyphens of options, and no line that begins like a request. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/^([.'])/, '\\&$1');
}
