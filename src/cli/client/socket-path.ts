/**
 * Finds the agent's socket: the option, the environment, the configuration file, the default. The file is read
 * for this one key only, and its faults are ignored: `config check` reports them, not `status`.
 */
import { readFileSync } from 'node:fs';

export const DEFAULT_SOCKET = '/run/migration-agent/agent.sock';
/** The key, or an escape that may spell it. */
const MAY_NAME_SOCKET = /socket|\\/;
const DEFAULT_CONFIGURATION = '/etc/migration-agent/config.yaml';

export async function resolveSocket(
  option: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  return (
    option ??
    nonEmpty(environment['MIGRATION_AGENT_SOCKET']) ??
    (await configured(environment)) ??
    DEFAULT_SOCKET
  );
}

/** The parser is a fifth of what a command costs: it is loaded for a file that may name a socket. */
async function configured(environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const file = nonEmpty(environment['MIGRATION_AGENT_CONFIG']) ?? DEFAULT_CONFIGURATION;
  let document: unknown;
  try {
    const text = readFileSync(file, 'utf8');
    if (!MAY_NAME_SOCKET.test(text)) return undefined;
    const { parse } = await import('./yaml-parser.ts');
    document = parse(text, { logLevel: 'silent' });
  } catch {
    // Not there, not for us to read, or no YAML: the default is still worth a try.
    return undefined;
  }
  const socket = member(member(document, 'agent'), 'socket');
  if (typeof socket !== 'string') return undefined;
  const path = socket.replaceAll(
    /\$\{env:(?<name>\w+)\}/g,
    (_match, name: string) => environment[name] ?? '',
  );
  return nonEmpty(path);
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
