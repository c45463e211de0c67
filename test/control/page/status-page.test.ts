/**
 * The status page in a real browser: it shows what status shows, live; it needs nothing but its own origin, and works
 * by keyboard, on a phone and in the dark. `SCREENSHOTS=DIRECTORY` keeps pictures of it.
 */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createHttpListener } from '../../../src/control/http/tcp-listener.ts';
import type { HttpListener } from '../../../src/control/http/tcp-listener.ts';
import { createRegistry } from '../../../src/control/metrics.ts';
import { RunLog } from '../../../src/jobs/files/run-log.ts';
import type { JobStatus } from '../../../src/core/model/status.ts';
import { Chromium, CHROMIUM } from '../../support/chromium.ts';
import type { Page } from '../../support/chromium.ts';
import { eventually, until } from '../../support/until.ts';
import { FULL_STATUS, jobNamed, OperatorInMemory, statusWith } from '../operator-in-memory.ts';

const operator = new OperatorInMemory();
let listener: HttpListener;
let browser: Chromium | undefined;
let page: Page;
let origin: string;
const logs = mkdtempSync(join(tmpdir(), 'status-page-'));

const NOW = Date.now();
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

const RUNNING = jobNamed('nightly-files', {
  run: 12,
  state: 'running',
  percent: 72,
  detail: '1.2 TB, 112 MB/s, <b>9312</b> of 12034 files',
  startedAt: ago(4_000),
  destinations: {
    migrationHub: {
      task: 'files01-copy',
      delivery: 'pending',
      lastAcceptedAt: ago(12),
      slackSeconds: 288,
      deadlineAt: ago(-288),
    },
    dataPipeline: {
      taskId: 't',
      pipelineId: 'df-1',
      attemptId: '@1',
      workerGroup: 'files',
      delivery: 'pending',
      lastAcceptedAt: ago(6),
      slackSeconds: 894,
      deadlineAt: ago(-894),
    },
  },
});
const JOBS: readonly JobStatus[] = [
  RUNNING,
  jobNamed('dump-orders', {
    run: 1,
    state: 'failed',
    percent: 40,
    startedAt: ago(700),
    endedAt: ago(100),
    reason: 'exit code 23: cannot read /srv/orders: Permission denied',
    destinations: {
      migrationHub: { task: 't', delivery: 'delivered', lastAcceptedAt: ago(58) },
    },
  }),
  jobNamed('stuck', {
    run: 2,
    state: 'running',
    stalled: true,
    startedAt: ago(90_000),
    destinations: {
      migrationHub: {
        task: 's',
        delivery: 'pending',
        lastAcceptedAt: ago(303),
        slackSeconds: -3,
        deadlineAt: ago(3),
        reason: 'ThrottlingException: Rate exceeded',
      },
    },
  }),
  jobNamed('weekly', { nextStartAt: ago(-18_000) }),
];

function showJobs(jobs: readonly JobStatus[]): void {
  const { agent } = FULL_STATUS;
  operator.document = {
    ...statusWith(jobs, { ...agent, now: new Date(NOW).toISOString(), startedAt: ago(9_000) }),
    budgets: FULL_STATUS.budgets.map((budget) => ({
      ...budget,
      ...(budget.pausedUntil === undefined ? {} : { pausedUntil: ago(-12) }),
    })),
  };
}

function describeRuns(): void {
  operator.entries.set('nightly-files', [
    { at: { wallMs: NOW - 4_000_000, bootMs: 0 }, event: 'job.started', fields: { pid: 4711 } },
    {
      at: { wallMs: NOW - 100_000, bootMs: 0 },
      event: 'tree.signalled',
      fields: { signal: 'SIGTERM', processes: 14 },
    },
  ]);
  const reports = Array.from({ length: 26 }, (_, index) => ({
    atMs: NOW - 4_000_000 + index * 155_000,
    to: 'migrationHub' as const,
    percent: Math.floor(index * 2.8),
    status: 'IN_PROGRESS',
    // One of them came ten seconds too late.
    holdsUntilMs: NOW - 4_000_000 + index * 155_000 + (index === 12 ? 145_000 : 300_000),
  }));
  const beats = Array.from({ length: 60 }, (_, index) => ({
    atMs: NOW - 4_000_000 + index * 66_000,
    to: 'dataPipeline' as const,
    holdsUntilMs: NOW - 4_000_000 + index * 66_000 + 900_000,
  }));
  operator.reported.set(
    'nightly-files',
    [...reports, ...beats].toSorted((a, b) => a.atMs - b.atMs),
  );
}

async function text(selector: string): Promise<string> {
  const value = await page.evaluate(
    `document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`,
  );
  return String(value);
}

async function visit(path = '/'): Promise<void> {
  await page.send('Page.navigate', { url: 'about:blank' });
  await page.send('Page.navigate', { url: `${origin}${path}` });
  await eventually(async () => expect(await text('#host')).toBe('files-host-01'));
}

async function picture(name: string): Promise<void> {
  const directory = process.env['SCREENSHOTS'];
  if (directory === undefined) return;
  const { data } = await page.send('Page.captureScreenshot', { captureBeyondViewport: true });
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${name}.png`), Buffer.from(String(data), 'base64'));
}

async function screen(width: number, height: number, scheme: 'light' | 'dark'): Promise<void> {
  await page.send('Emulation.setDeviceMetricsOverride', {
    width,
    height,
    deviceScaleFactor: 1,
    mobile: width < 600,
  });
  await page.send('Emulation.setEmulatedMedia', {
    features: [{ name: 'prefers-color-scheme', value: scheme }],
  });
}

describe.skipIf(CHROMIUM === undefined)(
  'the status page (skipped if chromium is missing)',
  { timeout: 60_000 },
  () => {
    beforeAll(async () => {
      const registry = createRegistry(operator);
      writeFileSync(join(logs, 'stdout.log'), 'sending incremental file list\n');
      writeFileSync(join(logs, 'stderr.log'), 'rsync: one file vanished\n');
      listener = createHttpListener({
        listen: '127.0.0.1:0',
        operator,
        registry,
        output: { openLog: (_job, _run, stream) => new RunLog(join(logs, `${stream}.log`)) },
      });
      const { port } = await listener.listen();
      origin = `http://127.0.0.1:${port}`;
      ({ browser, page } = await Chromium.start());
    }, 60_000);

    afterAll(async () => {
      rmSync(logs, { recursive: true });
      await browser?.stop();
      await listener.close();
    });

    test('shows what status shows, as text, and asks nobody but its own origin', async () => {
      showJobs(JOBS);
      await screen(1200, 900, 'light');
      await visit();
      await eventually(async () => expect(await text('#jobs')).toContain('nightly-files/12'));
      const shown = await text('#jobs');
      for (const message of [
        'next within 4m48s',
        '<b>9312</b>',
        'late by 3s',
        'delivered 58s ago',
        'in 5h00m',
      ]) {
        expect(shown).toContain(message);
      }
      expect(await text('#verdict')).toBe('degraded: 1 problem');
      expect(await text('#problems')).toContain('credentials have expired');
      expect(await text('#budgets')).toContain('9 of 10, 1/s');
      expect(page.complaints).toEqual([]);
      const elsewhere = page.requests.filter(
        (url) => !url.startsWith(origin) && !/^(?:about|data):/.test(url),
      );
      expect(elsewhere).toEqual([]);
      await picture('light');
    });

    test('the policy refuses whatever a job might smuggle in', async () => {
      await visit();
      const refused = await page.evaluate(`new Promise((resolve) => {
        document.addEventListener('securitypolicyviolation', (event) => resolve(event.violatedDirective));
        const script = document.createElement('script');
        script.textContent = 'window.smuggled = true';
        document.body.append(script);
      })`);
      expect(refused).toMatch(/^script-src/);
      expect(await page.evaluate('window.smuggled')).toBeUndefined();
      page.complaints.length = 0;
    });

    test('by keyboard alone: a job opens, its timeline shows, the focus stays while it refreshes', async () => {
      showJobs(JOBS);
      describeRuns();
      operator.details.set('nightly-files', {
        command: ['rsync', '-a', '/srv/a/', '/srv/b/'],
        workingDirectory: '/srv',
        user: 'migrator',
        earlierRuns: [{ run: 11, state: 'failed', elapsedSeconds: 252, reason: 'exit code 23' }],
      });
      await screen(1200, 1200, 'dark');
      await visit();
      await eventually(async () => expect(await text('#jobs')).toContain('nightly-files/12'));
      await page.press('/');
      expect(await page.evaluate('document.activeElement.id')).toBe('filter');
      // Past the order, and a button for each state.
      await until('the focus is on the first job', async () => {
        const focused = await page.evaluate('document.activeElement.textContent');
        if (focused === 'dump-orders/1') return true;
        await page.press('Tab');
        return false;
      });
      for (const next of ['stuck/2', 'nightly-files/12']) {
        await page.press('Tab');
        expect(await page.evaluate('document.activeElement.textContent')).toBe(next);
      }
      await page.press('Enter');
      await eventually(async () =>
        expect(await text('.events')).toContain('SIGTERM to 14 processes'),
      );
      const label = await page.evaluate(`document.querySelector('svg').getAttribute('aria-label')`);
      expect(label).toBe('86 reports of nightly-files, now at 70 percent, late for 10s in all');
      expect(await page.evaluate(`document.querySelectorAll('svg .late').length`)).toBe(1);
      expect(await page.evaluate(`document.querySelectorAll('svg .report').length`)).toBe(86);
      await eventually(async () => expect(await text('.output.stdout')).toContain('incremental'));
      expect(await text('.output.stderr')).toContain('one file vanished');
      const facts = await text('.facts');
      for (const fact of ['rsync -a /srv/a/ /srv/b/', 'migrator', '#11 failed in 252 s']) {
        expect(facts).toContain(fact);
      }
      // What is written meanwhile is added, with its secrets masked.
      appendFileSync(join(logs, 'stdout.log'), 'srv/a/one\npassword=hunter22\n');
      await eventually(async () => expect(await text('.output.stdout')).toContain('srv/a/one'));
      expect(await text('.output.stdout')).not.toContain('hunter22');
      await picture('dark');
      // The next refresh changes the percent, and nothing else.
      showJobs([{ ...RUNNING, percent: 73 }, ...JOBS.slice(1)]);
      await eventually(async () => expect(await text('#jobs')).toContain('73%'));
      expect(await page.evaluate('document.activeElement.textContent')).toBe('nightly-files/12');
      expect(await page.evaluate('document.activeElement.getAttribute("aria-expanded")')).toBe(
        'true',
      );
      expect(page.complaints).toEqual([]);
      // The address names the open job: it can be sent to somebody.
      expect(await page.evaluate('location.hash')).toBe('#nightly-files');
      await visit('/#nightly-files');
      await eventually(async () => expect(await text('.events')).toContain('pid 4711'));
    });

    test('a button for each state shows its jobs alone', async () => {
      showJobs(JOBS);
      await screen(1280, 900, 'light');
      await visit();
      await eventually(async () => expect(await text('#counts')).toContain('1 failed'));
      await page.evaluate(`document.querySelector('#counts [data-state=failed]').click()`);
      await eventually(async () => expect(await text('#jobs')).not.toContain('stuck'));
      expect(await text('#jobs')).toContain('dump-orders');
      expect(
        await page.evaluate(
          `document.querySelector('#counts [data-state=failed]').getAttribute('aria-pressed')`,
        ),
      ).toBe('true');
    });

    test('sixty jobs at 1280 pixels: failures first, nothing is wider than the screen', async () => {
      const many = Array.from({ length: 57 }, (_, index) =>
        jobNamed(`job-${index}`, {
          run: index + 1,
          state: index % 3 === 0 ? 'succeeded' : 'running',
          percent: index,
          detail: '1.2 TB, 112 MB/s, 9312 of 12034 files',
          startedAt: ago(index * 600),
          ...(index % 3 === 0 ? { endedAt: ago(index * 60) } : {}),
          destinations: {
            migrationHub: {
              task: 't',
              delivery: index % 3 === 0 ? 'delivered' : 'pending',
              lastAcceptedAt: ago(50),
              deadlineAt: ago(-250),
            },
          },
        }),
      );
      showJobs([...many, ...JOBS.slice(1)]);
      await screen(1280, 900, 'light');
      await visit();
      await eventually(async () => expect(await text('#jobs')).toContain('job-56'));
      expect(await text('#jobs tr:first-child td')).toBe('dump-orders/1');
      await picture('sixty');
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(1280);
    });

    test('on a phone nothing is wider than the screen', async () => {
      showJobs(JOBS);
      describeRuns();
      await screen(390, 844, 'dark');
      await visit('/#nightly-files');
      await eventually(async () => expect(await text('.events')).toContain('pid 4711'));
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
      await picture('phone');
    });

    test('text contrasts with its background, in light and in dark', async () => {
      showJobs(JOBS);
      for (const scheme of ['light', 'dark'] as const) {
        await screen(1200, 900, scheme);
        await visit();
        await eventually(async () => expect(await text('#jobs')).toContain('weekly'));
        const contrasts = (await page.evaluate(`(() => {
          const light = (color) => { const [r, g, b] = color.match(/[0-9.]+/g).map((one) => { const c = one / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
          const ground = light(getComputedStyle(document.body).backgroundColor);
          return [...document.querySelectorAll('td, small, .faint, .bad, .good, .warn, button, th, a')].map((one) => {
            const own = light(getComputedStyle(one).color);
            return (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05);
          });
        })()`)) as number[];
        expect(contrasts.length).toBeGreaterThan(20);
        // WCAG 2.1, 1.4.3.
        expect(Math.min(...contrasts)).toBeGreaterThanOrEqual(4.5);
      }
    });

    test('ten thousand jobs are an overview, and the filter finds one', async () => {
      showJobs([
        ...Array.from({ length: 10_000 }, (_, index) => jobNamed(`job-${index}`)),
        { ...RUNNING, name: 'the-one' },
      ]);
      await screen(1200, 900, 'light');
      await visit();
      await eventually(async () => expect(await text('#more')).toContain('9,901 more'));
      expect(await text('#jobs tr:first-child td')).toBe('the-one/12');
      await page.press('/');
      for (const key of 'b-9999') await page.press(key);
      await eventually(async () => expect(await text('#jobs')).toMatch(/^job-9999\s/));
      await page.press('Escape');
      await eventually(async () => expect(await text('#more')).toContain('more'));
    });

    test('an agent that does not answer is shown as such', async () => {
      showJobs([]);
      await visit();
      await eventually(async () => expect(await text('#jobs')).toContain('No jobs yet'));
      await listener.close();
      await eventually(async () => expect(await text('#link')).toContain('does not answer'));
    });
  },
);
