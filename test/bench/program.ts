/** Programs of this folder in processes of their own: clean heaps, CPU time that is theirs alone. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** MEASURED_TREE: another checkout, whose daemon and commands are measured in the place of these sources' (before and after). */
export const LAUNCHER =
  process.env['MEASURED_TREE'] === undefined
    ? fileURLToPath(new URL('../../src/migration-agent', import.meta.url))
    : `${process.env['MEASURED_TREE']}/src/migration-agent`;

/** What the launcher gives to Node: parts of the agent are measured as the daemon runs them. */
export function daemonFlags(): string[] {
  const flags = /exec "\$node" (.*?) "\$here\/main\.ts"/.exec(readFileSync(LAUNCHER, 'utf8'))?.[1];
  if (flags === undefined) throw new Error(`no call of Node was found in ${LAUNCHER}`);
  return flags.split(' ');
}

export interface Program {
  readonly process: ChildProcess;
  /** The next message that satisfies `is`; messages are kept until somebody asks for them. */
  next<Message>(is?: (message: Message) => boolean): Promise<Message>;
  tell(message: object): void;
  end(): Promise<void>;
}

/** Credentials that any stub accepts; the instance's metadata service is not asked. */
export const AWS_ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: 'x',
  AWS_SECRET_ACCESS_KEY: 'y',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
};

export function startProgram(
  name: string,
  options: object,
  flags: readonly string[] = [],
): Program {
  const file = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
  const child = fork(file, [JSON.stringify(options)], {
    execArgv: [...flags],
    env: { ...process.env, ...AWS_ENVIRONMENT },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const messages: unknown[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => waiting.forEach((look) => look());
  child.on('message', (message) => {
    messages.push(message);
    wake();
  });
  child.on('exit', wake);
  return {
    process: child,
    next: <Message>(is: (message: Message) => boolean = () => true) =>
      new Promise<Message>((resolve, reject) => {
        const look = (): void => {
          const place = messages.findIndex((message) => is(message as Message));
          if (place !== -1) resolve(messages.splice(place, 1)[0] as Message);
          else if (child.exitCode === null && child.signalCode === null) return;
          else reject(new Error(`${name} ended with ${child.exitCode ?? child.signalCode ?? '?'}`));
          waiting.delete(look);
        };
        waiting.add(look);
        look();
      }),
    tell: (message) => child.send(message),
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** Runs a program to its end and hands back the one message that it says. */
export async function runProgram<Result>(
  name: string,
  options: object,
  flags: readonly string[] = [],
): Promise<Result> {
  const program = startProgram(name, options, flags);
  try {
    return await program.next<Result>();
  } finally {
    await program.end();
  }
}

/** In a program: the options it was started with. */
export function givenOptions(): unknown {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** In a program: says something to whoever started it. */
export function say(message: object): void {
  if (process.send === undefined) throw new Error('started by hand: nobody listens');
  process.send(message);
}
