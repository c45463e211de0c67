/**
 * A throw-away box with a real systemd in it (systemd-box.sh), for tests. Boots in about a second. A test that wants one
 * skips with `whyNoBox` where the host cannot make it. A test that ends in whatever way takes its box with it: the box
 * stops when the pipe to its holder closes.
 */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const SCRIPT = join(import.meta.dirname, 'systemd-box.sh');

/** The reason why this host cannot boot a box; empty if it can. */
export const whyNoBox = spawnSync(SCRIPT, ['check'], { encoding: 'utf8' }).stderr.trim();

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class SystemdBox {
  /** Names the box (BOX of systemd-box.sh). */
  readonly directory: string;
  readonly #environment: NodeJS.ProcessEnv;
  #release: () => Promise<void> = () => Promise.resolve();

  private constructor(directory: string, root: string) {
    this.directory = directory;
    this.#environment = { ...process.env, BOX: directory, ROOT: root };
  }

  /**
   * Boots a box. `binds` are directories of the host that it sees (host path to path in the box). `root` is the root file
   * system to boot; the box does not change it.
   */
  static async start(
    binds: Readonly<Record<string, string>> = {},
    root = '/',
  ): Promise<SystemdBox> {
    const box = new SystemdBox(await mkdtemp(join(tmpdir(), 'migration-agent-box-')), root);
    const pairs = Object.entries(binds).map(([host, inside]) => `${host}:${inside}`);
    const holder = spawn(SCRIPT, ['hold', ...pairs], { env: box.#environment });
    const complaint = text(holder.stderr);
    const ended = once(holder, 'exit');
    const isUp = await Promise.race([
      once(holder.stdout, 'data').then(() => true),
      ended.then(() => false),
    ]);
    if (!isUp) throw new Error(`no box: ${await complaint}`);
    box.#release = async () => {
      holder.stdin.end();
      await ended;
    };
    return box;
  }

  /** Runs a command in the box to its end. */
  run(...command: readonly string[]): Promise<Ran> {
    return new Promise((resolve) => {
      const options = { env: this.#environment, maxBuffer: 16 * 1024 * 1024 };
      execFile(SCRIPT, ['run', ...command], options, (error, stdout, stderr) => {
        const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : 1;
        resolve({ code, stdout, stderr });
      });
    });
  }

  /** Runs a command that must succeed, and returns its output without the last line break. */
  async output(...command: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...command);
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${stdout}${stderr}`);
    return stdout.trimEnd();
  }

  /** Ends every process of the box; nothing of it is left. */
  async stop(): Promise<void> {
    await this.#release();
    await rm(this.directory, { recursive: true, force: true });
  }
}
