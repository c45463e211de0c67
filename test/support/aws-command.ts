/**
 * The real `aws` command: whether it is on this machine, and calls of it. Where it is a Python package, one process takes
 * all calls (aws_command.py), which saves most of their CPU; else each call is a process.
 */
import { execFile, spawn, spawnSync } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** Of its package, without a start of it, which takes seven times as much. */
const PACKAGE = "import importlib.metadata; print(importlib.metadata.version('awscli'))";

const isThere = printed('sh', ['-c', 'command -v aws']) !== '';
const packaged = isThere ? printed('python3', ['-c', PACKAGE]).trim() : '';
const version =
  isThere && packaged === ''
    ? /^aws-cli\/(\S+)/.exec(printed('aws', ['--version']))?.[1]
    : packaged;

/** The reason for the title of a skipped test; undefined if the tool is installed. */
export const awsMissing =
  // Older versions do not know AWS_ENDPOINT_URL and would call AWS itself.
  /^(1\.(29|[3-9]\d|\d{3})|2\.(1[3-9]|[2-9]\d))\./.test(version ?? '')
    ? undefined
    : 'the aws command is not installed, or is older than 1.29 and 2.13';

export interface AwsResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Server = ChildProcessByStdio<Writable, Readable, null>;

/** Calls are made one after another. To be closed at the end. */
export class AwsCommand {
  #server: Server | undefined;
  #last: Promise<unknown> = Promise.resolve();

  run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<AwsResult> {
    if (packaged === '') return asProcess(args, env);
    const result = this.#last.then(() => this.#ask(args, env));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    server.stdin.end();
    await once(server, 'exit');
  }

  async #ask(args: readonly string[], env: NodeJS.ProcessEnv): Promise<AwsResult> {
    this.#server ??= this.#start();
    const answers = createInterface({ input: this.#server.stdout });
    const answered = new Promise<string>((resolve, reject) => {
      answers.once('line', resolve);
      answers.once('close', () => reject(new Error('the process of the aws command ended')));
    });
    this.#server.stdin.write(`${JSON.stringify({ args, env })}\n`);
    try {
      return JSON.parse(await answered) as AwsResult;
    } finally {
      answers.removeAllListeners();
      answers.close();
    }
  }

  #start(): Server {
    const script = new URL('aws_command.py', import.meta.url).pathname;
    // -B: no compiled files beside the sources.
    const server = spawn('python3', ['-B', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    // One that has ended, or whose package is broken, must not be written to again.
    server.stdin.on('error', () => undefined);
    server.once('exit', () => (this.#server = undefined));
    return server;
  }
}

function asProcess(args: readonly string[], env: NodeJS.ProcessEnv): Promise<AwsResult> {
  return new Promise((resolve) => {
    execFile('aws', args, { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

function printed(command: string, args: readonly string[]): string {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout : '';
}
