/**
 * `doctor` ends, whatever hangs: a credential_process that never ends keeps the event loop alive, a name server that does
 * not answer holds a thread, and a home directory on a dead file system holds one that not even SIGKILL can end. So the
 * checks run in a child, which sends its output and is then killed. It shares no open file with this process: a reader
 * of the output would wait for a child that cannot end.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Writable } from 'node:stream';
import { defined } from '../../core/lib/defined.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { killTree } from '../process-tree.ts';
import { print, write } from '../terminal/terminal.ts';
import type { Output, Terminal } from '../terminal/terminal.ts';

/** Its value: how the output is shown. */
const IS_CHILD = 'MIGRATION_AGENT_DOCTOR_CHILD';
/** The daemon is asked for 5 s, then all checks run at once with at most 30 s each (report.ts). */
const LIMIT_MS = 50_000;

type Perform = (terminal: Terminal) => Promise<ExitCode>;
type Shape = Pick<Output, 'columns' | 'isTTY'>;

interface Report {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

export async function guarded(terminal: Terminal, perform: Perform): Promise<ExitCode> {
  // Of a test, which has a process of its own.
  if (terminal.stdout !== process.stdout) return perform(terminal);
  const shape = process.env[IS_CHILD];
  return shape === undefined ? watchOver(terminal) : asChild(terminal, shape, perform);
}

async function asChild(terminal: Terminal, shape: string, perform: Perform): Promise<ExitCode> {
  // What this process starts is no such child.
  Reflect.deleteProperty(process.env, IS_CHILD);
  // The guard has ended: nothing shows the result any more.
  process.once('disconnect', () => {
    killTree(process.pid);
    process.kill(process.pid, 'SIGKILL');
  });
  const stdout = new Kept(JSON.parse(shape) as Shape);
  const stderr = new Kept({});
  const code = await perform({ ...terminal, stdout, stderr });
  process.send?.({ code, stdout: stdout.text, stderr: stderr.text } satisfies Report);
  return code;
}

async function watchOver(terminal: Terminal): Promise<ExitCode> {
  const [, program = '', ...rest] = process.argv;
  const { columns, isTTY } = terminal.stdout;
  const child = spawn(process.execPath, [...process.execArgv, program, ...rest], {
    env: { ...process.env, [IS_CHILD]: JSON.stringify({ columns, isTTY }) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  child.stderr?.on('data', (bytes: Buffer) => terminal.stderr.write(bytes));
  try {
    const report = await reportOf(child);
    if (typeof report === 'number') return report;
    await write(terminal.stdout, report.stdout);
    await write(terminal.stderr, report.stderr);
    return report.code;
  } catch (error) {
    print(terminal, error instanceof Error ? error.message : String(error));
    return EXIT.jobFailed;
  } finally {
    // Once it has ended, its pid may be somebody else's.
    if ((child.exitCode ?? child.signalCode ?? undefined) === undefined) killTree(child.pid);
    child.unref();
    child.stderr?.destroy();
    if (child.connected) child.disconnect();
  }
}

/** Its exit code alone if it ends without a report: it has printed why. Rejects if it hangs or does not start. */
function reportOf(child: ChildProcess): Promise<Report | ExitCode> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const seconds = LIMIT_MS / 1000;
      reject(
        new Error(`doctor has no result within ${seconds} s: something on this host hangs
→ see which process waits, and in what: ps -o pid,stat,wchan:32,args --ppid 1,${process.pid}`),
      );
    }, LIMIT_MS);
    const settle = (result: Report | ExitCode): void => {
      clearTimeout(timer);
      resolve(result);
    };
    child.once('message', (report) => settle(report as Report));
    child.once('error', reject);
    // Then all of its error output has been read.
    child.once('close', (code) => settle((code as ExitCode | null) ?? EXIT.jobFailed));
  });
}

class Kept extends Writable implements Output {
  text = '';
  declare readonly isTTY?: boolean;
  declare readonly columns?: number;

  constructor(shape: Shape) {
    super();
    Object.assign(this, defined({ ...shape }));
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
