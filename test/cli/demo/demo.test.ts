/** The demo's stories and screens; and that it leaves nothing behind when it is interrupted. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import { createDemoScreen } from '../../../src/cli/demo/screen.ts';
import { runScenarios } from '../../../src/cli/demo/stories.ts';
import { processTerminal } from '../../../src/cli/terminal/terminal.ts';
import { jobNamed, statusWith } from '../../control/operator-in-memory.ts';
import { until } from '../../support/until.ts';
import { Collector } from '../terminal-in-memory.ts';

const LAUNCHER = fileURLToPath(new URL('../../../src/migration-agent', import.meta.url));
const BEGAN = Date.parse('2026-11-22T03:00:00.000Z');

const entry = (second: number, event: string, fields: Record<string, unknown> = {}) => ({
  at: new Date(BEGAN + second * 1000).toISOString(),
  event,
  fields,
});

test('who was canceled, who failed, and who was carried through the outage', () => {
  const timelines = new Map([
    ['mail', [entry(20.5, 'cancel.received'), entry(21.5, 'tree.empty')]],
    [
      'invoices',
      [
        entry(14, 'run.ended', { state: 'failed', message: 'failed: exit code 1: bad sum' }),
        entry(14, 'report.delivered', { to: 'migrationHub', afterS: 0 }),
      ],
    ],
    [
      'photos',
      [entry(35, 'run.ended'), entry(60, 'report.delivered', { to: 'migrationHub', afterS: 25 })],
    ],
    ['archive', [entry(52, 'run.ended')]],
  ]);
  const played = {
    canceledAtMs: BEGAN + 18_000,
    outage: { fromMs: BEGAN + 30_000, toMs: BEGAN + 42_000 },
  };
  expect(`\n${runScenarios(timelines, played, BEGAN, 80)}\n`).toMatchInlineSnapshot(`
    "
    What happened:
      mail      canceled by its pipeline's owner at 18s; the agent learned of it
                2.5s later, with its next report; all processes were gone 1.0s after
                that
      invoices  failed at 14s: exit code 1: bad sum; its final report reached
                Migration Hub at once
      photos    ended at 35s, during the outage of AWS (30s to 42s); its final
                report reached Migration Hub 25s later
      archive   ended at 52s, after the outage; its final report was not delivered
    "
  `);
});

const running = (percent: number) =>
  statusWith([jobNamed('photos', { run: 1, state: 'running', percent, detail: 'x\u001b[2J' })]);

test('into a pipe the demo prints a line for each step, and none twice', () => {
  const stdout = new Collector(undefined);
  const screen = createDemoScreen(
    { ...processTerminal(), stdout, environment: { NO_COLOR: '1' } },
    () => 5_000,
  );
  screen.print('operator', 'starts photos');
  for (const percent of [0, 10, 26, 40, 51]) screen.show(running(percent));
  screen.show(statusWith([], { problems: ['AWS does not answer'] }));
  screen.show(statusWith([], { problems: [] }));
  expect(`\n${stdout.text}`).toMatchInlineSnapshot(`
    "
       5s  operator  starts photos
       5s  photos    running: x
       5s  photos    running 25%: x
       5s  photos    running 50%: x
       5s  agent     degraded: AWS does not answer
       5s  agent     healthy again
    "
  `);
});

test('on a terminal of any size the picture and the newest messages fit', () => {
  for (const rows of [8, 12, 24, 50]) {
    const stdout = new Collector({ columns: 60, rows });
    const screen = createDemoScreen(
      { ...processTerminal(), stdout, environment: { NO_COLOR: '1' } },
      () => 5_000,
    );
    screen.show(running(1));
    for (let i = 0; i < 12; i++) screen.print('network', `${i} ${'long '.repeat(30)}`);
    const picture = stdout.text.split(/\r\u001b\[\d+A/).at(-1) ?? '';
    expect(picture.split('\n').length).toBeLessThanOrEqual(rows);
    expect(picture).toContain('network   11');
    expect(picture).toMatch(/photos .*running/);
    expect(picture).toMatch(/healthy/);
  }
});

test('Ctrl-C ends the agent, its jobs and the simulator, removes the files, and exits with 130', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'demo-test-'));
  try {
    const demo = spawn(LAUNCHER, ['demo'], {
      env: { ...process.env, TMPDIR: directory },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let text = '';
    demo.stdout.on('data', (piece: Buffer) => (text += piece.toString()));
    await until(
      'a job runs',
      () => /^ *\S+ +\S+ +running/m.test(text),
      () => `: exit code ${demo.exitCode}, ${text}`,
    );
    expect(processesOf(directory).length).toBeGreaterThan(1);
    const exited = once(demo, 'exit');
    demo.kill('SIGINT');
    expect(await exited).toEqual([130, null]);
    // A shim whose job is gone may still wait for the disk.
    await until('no process is left', () => processesOf(directory).length === 0);
    expect(readdirSync(directory)).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

/** Command lines of processes that name the directory or work in it; the demo itself does neither. */
function processesOf(directory: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const message = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
        return message.includes(directory) || environment.includes(`SOCKET=${directory}`)
          ? [message]
          : [];
      } catch {
        return [];
      }
    });
}
