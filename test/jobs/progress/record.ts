/**
 * Records what the real tools print while they work, and how much is really done then:
 * `node test/jobs/progress/record.ts [NAME…]` writes recorded/NAME.txt. recorded-runs.ts reads them.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MORE_RUNS } from './recorded-runs.ts';
import { TOOL_RUNS } from './tool-runs.ts';
import type { ToolRun } from './tool-runs.ts';

/** Output that comes within this time is one line of the recording, as it is for the agent, which polls. */
const TOGETHER_MS = 200;

async function record(tool: ToolRun): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'record-'));
  const { command, environment = {}, stop, truth } = await tool.prepare(directory);
  const pieces: { stream: string; done: number; text: string }[] = [];
  try {
    const [program = '', ...args] = command;
    const child = spawn(program, args, {
      cwd: directory,
      env: { PATH: process.env['PATH'], HOME: directory, LC_ALL: 'C.UTF-8', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let beganMs = -Infinity;
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        const last = pieces.at(-1);
        const done = truth();
        if (last?.stream === stream && performance.now() - beganMs < TOGETHER_MS) {
          Object.assign(last, { done, text: last.text + text });
          return;
        }
        beganMs = performance.now();
        pieces.push({ stream, done, text });
      });
    }
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    if (code !== 0)
      throw new Error(`${tool.name} ended with ${code}: ${JSON.stringify(pieces.slice(-3))}`);
  } finally {
    await stop?.();
    rmSync(directory, { recursive: true, force: true });
  }
  const [program = '', ...args] = tool.version;
  const version = execFileSync(program, args, { encoding: 'utf8' }).split('\n')[0] ?? '';
  const progress = tool.recordedProgress ?? tool.progress ?? { parser: 'auto' };
  const lines = pieces.map(
    ({ stream, done, text }) => `${done.toFixed(1)}\t${stream}\t${JSON.stringify(text)}`,
  );
  const head = [
    `# ${version}`,
    `# ${JSON.stringify(command).replaceAll(directory, '/srv')}`,
    `# ${JSON.stringify(progress)}`,
    '# percent really done, stream, output',
  ];
  const file = join(
    import.meta.dirname,
    'recorded',
    `${tool.name.replace(/\W+/g, '-').replace(/-$/, '')}.txt`,
  );
  writeFileSync(file, `${[...head, ...lines].join('\n')}\n`.replaceAll(directory, '/srv'));
  process.stdout.write(`${file}: ${lines.length} lines\n`);
}

const wanted = process.argv.slice(2);
for (const tool of [...TOOL_RUNS, ...MORE_RUNS]) {
  if (wanted.length === 0 || wanted.includes(tool.name)) await record(tool);
}
