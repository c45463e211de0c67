/** `dev` as a newcomer uses it: one terminal runs it, another one pastes the line and the commands that it printed. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, onTestFinished, test } from 'vitest';

import { BUNDLED_LAUNCHER } from '../../support/bundled-program.ts';
import { until } from '../../support/until.ts';
import { IS_LONG, ONLY_LONG } from '../../support/long-run.ts';

const { PATH, NODE_COMPILE_CACHE } = process.env;
const FROM_HERE = { PATH, NODE_COMPILE_CACHE };
const LAUNCHER = fileURLToPath(new URL('../../../src/migration-agent', import.meta.url));

test('the printed commands work as they are in another terminal, and SIGINT leaves nothing', async () => {
  const temporary = mkdtempSync(join(tmpdir(), 'dev-test-'));
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  const dev = spawn(LAUNCHER, ['dev'], {
    env: { ...FROM_HERE, TMPDIR: temporary, AWS_PROFILE: 'of-the-user' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void dev.kill('SIGKILL'));
  let output = '';
  dev.stdout.on('data', (data: Buffer) => (output += data.toString()));
  await until(
    'the directions are printed',
    () => output.includes('Then try:\n') && output.includes('history copy\n'),
  );

  const page = /status page +(\S+)/.exec(output)?.[1] ?? '';
  expect(await (await fetch(page)).text()).toContain('<html');
  const setUp = /^export .*$/m.exec(output)?.[0] ?? '';
  const commands = output.match(/^ {2}migration-agent .*$/gm) ?? [];
  expect(commands).toHaveLength(3);
  const inAnotherTerminal = (command: string) =>
    spawnSync('sh', ['-c', `${setUp}\n${command}`], {
      encoding: 'utf8',
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', HOME: temporary },
    });
  const [run, status, history] = commands.map(inAnotherTerminal);
  expect([run?.status, run?.stdout], run?.stderr).toEqual([0, 'copy/1\n']);
  expect([status?.status, status?.stdout], status?.stderr).toEqual([
    0,
    expect.stringMatching(/^copy\/1 +succeeded/),
  ]);
  expect([history?.status, history?.stdout], history?.stderr).toEqual([
    0,
    expect.stringContaining('COMPLETED'),
  ]);

  // A job that runs ends with it.
  inAnotherTerminal('migration-agent run --name long -- sleep 47.110815');
  dev.kill('SIGINT');
  const [code] = (await once(dev, 'exit')) as [number];
  expect(code).toBe(0);
  expect(readdirSync(temporary)).toEqual([]);
  expect(spawnSync('pgrep', ['-f', 'sleep 47.110815'], { encoding: 'utf8' }).stdout).toBe('');
});

test.skipIf(!IS_LONG)(
  `it leaves nothing either if the reader of its output is gone, as with 'dev | tee' and Ctrl-C (as a package has it)${ONLY_LONG}`,
  async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'dev-test-'));
    onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
    const dev = spawn(BUNDLED_LAUNCHER, ['dev'], {
      env: { ...FROM_HERE, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void dev.kill('SIGKILL'));
    let output = '';
    dev.stdout.on('data', (data: Buffer) => (output += data.toString()));
    await until('the directions are printed', () => output.includes('history copy\n'));
    const setUp = /^export .*$/m.exec(output)?.[0] ?? '';
    dev.stdout.destroy();
    dev.stderr.destroy();
    const ended = once(dev, 'exit');
    spawnSync('sh', ['-c', `${setUp}\nmigration-agent run --name long -- sleep 47.110816`], {
      // A package has it on the PATH.
      env: { PATH: `${dirname(BUNDLED_LAUNCHER)}:/usr/bin:/bin`, HOME: temporary },
    });
    dev.kill('SIGINT');
    await ended;
    expect(readdirSync(temporary)).toEqual([]);
    expect(spawnSync('pgrep', ['-f', 'sleep 47.110816'], { encoding: 'utf8' }).stdout).toBe('');
  },
);

const hasScript = spawnSync('script', ['--version']).status === 0;

test.skipIf(!hasScript)(
  'on a terminal it prints the same lines, and Ctrl-C ends it (skipped without script)',
  async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'dev-test-'));
    onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
    // script(1) gives it a terminal of its own, whose keyboard is standard input.
    const dev = spawn('script', ['-qec', `exec '${BUNDLED_LAUNCHER}' dev`, '/dev/null'], {
      env: { ...FROM_HERE, TMPDIR: temporary, TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => void dev.kill('SIGKILL'));
    let output = '';
    dev.stdout.on('data', (data: Buffer) => (output += data.toString()));
    const lines = () => output.split('\r\n').map((line) => line.trim());
    await until('the directions are printed', () =>
      lines().includes('migration-agent history copy'),
    );
    expect(lines()).toEqual(
      expect.arrayContaining([
        'An agent with simulated AWS. Ctrl-C ends both and leaves nothing.',
        'In another terminal, paste this line first:',
        'Then try:',
        'migration-agent status copy',
      ]),
    );
    const ended = once(dev, 'exit');
    dev.stdin.write('\u0003');
    expect(await ended).toEqual([0, null]);
    expect(readdirSync(temporary)).toEqual([]);
  },
);
