/** The manual page, from what `--help` says: one source, so the two never differ. */
import type { Build } from './build.ts';

type Run = (...words: string[]) => string;

export function manPage(run: Run, { version, epochS }: Build): string {
  const help = run('--help');
  const commands = [...help.matchAll(/^ {2}([a-z]+)\b/gm)].flatMap(([, name]) =>
    name === undefined || name === 'help' ? [] : [name],
  );
  const date = new Date(epochS * 1000).toISOString().slice(0, 10);
  const parts = [
    `.TH MIGRATION-AGENT 1 "${date}" "migration-agent ${version}" "User Commands"`,
    `.SH NAME\nmigration\\-agent \\- keeps AWS Migration Hub and AWS Data Pipeline told how migration jobs stand`,
    `.SH SYNOPSIS\n.B migration\\-agent\n.I COMMAND\n[\\fIOPTIONS\\fR]`,
    `.SH DESCRIPTION\n${verbatim(help)}`,
    ...commands.map(
      (name) => `.SH "MIGRATION-AGENT ${name.toUpperCase()}"\n${verbatim(run(name, '--help'))}`,
    ),
    `.SH FILES\n.TP\n/etc/migration\\-agent/config.yaml\nthe configuration; examples are in /usr/share/doc/migration\\-agent/examples\n.TP\n/run/migration\\-agent/agent.sock\nwhere the commands find the agent\n.TP\n/var/lib/migration\\-agent\nruns, promises and last words`,
    `.SH SEE ALSO\nsystemctl(1), journalctl(1), /usr/share/doc/migration\\-agent/systemd.md`,
  ];
  return `${parts.join('\n')}\n`;
}

/** As it stands on a terminal: no filling, and no character that troff would take for its own. */
function verbatim(text: string): string {
  const lines = text.trimEnd().replaceAll('\\', '\\e').replaceAll('-', '\\-').split('\n');
  return `.nf\n${lines.map((line) => (/^[.']/.test(line) ? `\\&${line}` : line)).join('\n')}\n.fi`;
}
