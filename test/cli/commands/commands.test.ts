/** The commands against a real socket: what they ask, what they print where, how they exit. */
import { appendFile, chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { createControlServer } from '../../../src/control/http/server.ts';
import type { JobStatus } from '../../../src/core/model/status.ts';
import { RunLog } from '../../../src/jobs/files/run-log.ts';
import {
  makeDefinition,
  makeTracked,
  serve,
  temporaryDirectory,
} from '../../control/control-server-fixture.ts';
import {
  FULL_STATUS,
  jobNamed,
  OperatorInMemory,
  statusWith,
} from '../../control/operator-in-memory.ts';
import { begin, run } from '../terminal-in-memory.ts';
import { eventually } from '../../support/until.ts';

const AT = { wallMs: Date.UTC(2026, 10, 22, 3), bootMs: 5 };
const STARTED = { startedAt: '2026-11-22T03:00:00.000Z' };
const ENDED = { ...STARTED, endedAt: '2026-11-22T03:10:00.000Z' };

const RUNNING = jobNamed('copy', { run: 2, state: 'running', ...STARTED });
const ended = (state: JobStatus['state'], rest: Partial<JobStatus> = {}) =>
  jobNamed('copy', { run: 2, state, ...ENDED, ...rest });

describe('run', () => {
  test('submits the command with all of its options, and returns at once', async () => {
    const { operator, socketPath } = await serve();
    operator.answer = () => ({ ok: true, run: 'copy/2', message: 'copy/2 is starting' });
    const message = [
      'run',
      '--socket',
      socketPath,
      '--name',
      'copy',
      '--cwd',
      '/srv',
      '--env',
      'A=1',
      '--env',
      'B=x=y',
    ];
    expect(await run([...message, '--', 'rsync', '-a', '--name', 'x'])).toEqual({
      code: 0,
      stdout: 'copy/2\n',
      stderr: 'copy/2 is starting\n',
    });
    const body = {
      name: 'copy',
      command: ['rsync', '-a', '--name', 'x'],
      workingDirectory: '/srv',
      environment: { A: '1', B: 'x=y' },
    };
    expect(operator.asked).toEqual([{ type: 'submit', definition: makeDefinition(body) }]);
  });

  test('sends parser, user and destination as the configuration writes them', async () => {
    const bodies: unknown[] = [];
    const { socketPath } = await serve({
      makeDefinition: (body) => {
        bodies.push(body);
        return makeDefinition(body);
      },
    });
    const message = ['run', '--socket', socketPath, '--name', 'copy', '--cwd', '/'];
    await run([...message, '--progress', 'rsync', '--user', 'anna', '--no-hub', '--', 'a']);
    await run([...message, '--progress', 'regex:(?<percent>\\d+)', '--task', 't-1', '--', 'a']);
    await run([...message, '--progress', '{"parser":"size","target":"/srv"}', '--', 'a']);
    const artifacts = ['arn:aws:s3:::b/k'];
    const hub = ['--migration-hub', JSON.stringify({ artifacts }), '--task', 't'];
    await run([...message, ...hub, '--', 'a']);
    expect((await run([...message, '--migration-hub', 'no JSON', '--', 'a'])).code).toBe(2);
    const plain = { name: 'copy', command: ['a'], workingDirectory: '/' };
    expect(bodies).toEqual([
      { ...plain, progress: { parser: 'rsync' }, user: 'anna', migrationHub: false },
      {
        ...plain,
        progress: { parser: 'regex', pattern: '(?<percent>\\d+)' },
        migrationHub: { task: 't-1' },
      },
      { ...plain, progress: { parser: 'size', target: '/srv' } },
      { ...plain, migrationHub: { artifacts, task: 't' } },
    ]);
  });

  test('runs in the directory that it was typed in', async () => {
    const { operator, socketPath } = await serve();
    await run(['run', '--socket', socketPath, '--name', 'copy', '--', 'a']);
    expect(operator.asked).toMatchObject([{ definition: { workingDirectory: process.cwd() } }]);
  });

  test.each([
    ['succeeded', 0],
    ['failed', 1],
    ['canceled', 1],
    ['fenced', 1],
    ['lost', 5],
  ] as const)('with --wait, a run that has %s exits with %i', async (state, code) => {
    const { operator, socketPath } = await serve();
    operator.show(RUNNING);
    operator.answer = () => ({ ok: true, run: 'copy/2', message: 'copy/2 is starting' });
    const running = begin(['run', '--socket', socketPath, '--name', 'copy', '--wait', '--', 'a']);
    await eventually(() => expect(running.stderr()).toContain('copy/2: running'));
    operator.show(ended(state, { reason: 'as it is' }));
    const result = await running.done;
    expect(result.code).toBe(code);
    expect(result.stderr).toBe(`copy/2 is starting\ncopy/2: running\ncopy/2: ${state}: as it is\n`);
  });

  test('what the agent refuses is wrong usage; a job that runs already is not', async () => {
    const { operator, socketPath } = await serve();
    const message = ['run', '--socket', socketPath, '--name'];
    const wrong = await run([...message, '../x', '--', 'a']);
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/^migration-agent: name: /),
    ]);
    operator.answer = () => ({ ok: false, code: 'conflict', message: 'copy runs already' });
    expect(await run([...message, 'copy', '--', 'a'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'migration-agent: copy runs already\n',
    });
  });
});

describe('cancel', () => {
  const canceling = async (last: JobStatus, message: readonly string[] = []) => {
    const { operator, socketPath } = await serve();
    operator.show(jobNamed('copy', { run: 2, state: 'canceling', ...STARTED }));
    operator.answer = () => ({ ok: true, run: 'copy/2', message: 'canceling copy/2' });
    const running = begin(['cancel', 'copy', '--socket', socketPath, ...message]);
    await eventually(() => expect(running.stderr()).toContain('copy/2: canceling'));
    operator.show(last);
    return { operator, result: await running.done };
  };

  test('waits until the tree is gone', async () => {
    const { operator, result } = await canceling(ended('canceled'), ['--grace', '2m']);
    expect(result).toEqual({
      code: 0,
      stdout: '',
      stderr: 'canceling copy/2\ncopy/2: canceling\ncopy/2: canceled\n',
    });
    expect(operator.asked).toEqual([
      {
        type: 'cancel',
        job: 'copy',
        by: expect.stringMatching(/^[\w.@-]+$/) as string,
        graceMs: 120_000,
      },
    ]);
  });

  test('exits with 6 where processes are left, and names them', async () => {
    const { result } = await canceling(
      ended('canceled', { cancelIncomplete: true, survivors: [12, 13] }),
    );
    expect(result.code).toBe(6);
    expect(result.stderr).toContain('processes outlived SIGKILL: 12, 13\n');
  });

  test('exits with 0 if the job ended first, and with 5 if it was lost', async () => {
    expect((await canceling(ended('succeeded'))).result.code).toBe(0);
    expect((await canceling(ended('lost'))).result.code).toBe(5);
  });

  test('with --no-wait returns when the agent has taken note', async () => {
    const { operator, socketPath } = await serve();
    operator.show(RUNNING);
    expect((await run(['cancel', 'copy', '--no-wait', '--socket', socketPath])).code).toBe(0);
  });

  test('does not mistake the next run for the one that was canceled', async () => {
    const { result } = await canceling(jobNamed('copy', { run: 3, state: 'running', ...STARTED }));
    expect(result.code).toBe(5);
    expect(result.stderr).toContain('copy/2 was followed by copy/3');
  });
});

describe('wait', () => {
  const withHub = (delivery: 'pending' | 'delivered' | 'refused', reason?: string) =>
    ended('succeeded', {
      destinations: {
        migrationHub: { task: 't', delivery, ...(reason === undefined ? {} : { reason }) },
      },
    });

  test('for finished ends with the run, for delivered with the final report', async () => {
    const { operator, socketPath } = await serve();
    operator.show(withHub('pending'));
    expect((await run(['wait', 'copy', '--socket', socketPath])).code).toBe(0);
    const running = begin(['wait', 'copy', '--for', 'delivered', '--socket', socketPath]);
    await eventually(() => expect(running.stderr()).toContain('succeeded'));
    operator.show(withHub('delivered'));
    expect((await running.done).code).toBe(0);
  });

  test('asks when something happens to the job, and not otherwise', async () => {
    const { operator, socketPath } = await serve();
    operator.show(RUNNING);
    const looks = vi.spyOn(operator, 'job');
    const running = begin(['wait', 'copy', '--socket', socketPath]);
    // Once before the event stream is open, and once when it is.
    await eventually(() => expect(looks).toHaveBeenCalledTimes(2));
    operator.document = statusWith([ended('succeeded')]);
    operator.emit({ at: AT, event: 'job.exited', fields: {}, job: 'another' });
    for (let round = 0; round < 20; round += 1) await run(['outbox', '--socket', socketPath]);
    expect(looks).toHaveBeenCalledTimes(2);
    operator.emit({ at: AT, event: 'job.exited', fields: {}, job: 'copy' });
    expect((await running.done).code).toBe(0);
    expect(looks).toHaveBeenCalledTimes(3);
  });

  test('for delivered prints why it still waits', async () => {
    const { operator, socketPath } = await serve();
    operator.show(withHub('pending', 'no credentials'));
    const running = begin(['wait', 'copy', '--for', 'delivered', '--socket', socketPath]);
    const message = 'copy/2: succeeded; not delivered to migrationHub yet: no credentials\n';
    await eventually(() => expect(running.stderr()).toBe(message));
    operator.show(withHub('delivered'));
    expect((await running.done).code).toBe(0);
  });

  test('for delivered fails where the service refused', async () => {
    const { operator, socketPath } = await serve();
    operator.show(withHub('refused', 'too long'));
    const { code, stderr } = await run([
      'wait',
      'copy',
      '--for',
      'delivered',
      '--socket',
      socketPath,
    ]);
    expect([code, stderr]).toEqual([
      1,
      'copy/2: succeeded\nmigrationHub refused the report: too long\n',
    ]);
  });

  test('does not wait for a job that has never run', async () => {
    const { operator, socketPath } = await serve();
    operator.show(jobNamed('copy'));
    expect(await run(['wait', 'copy', '--socket', socketPath])).toMatchObject({
      code: 5,
      stderr: 'copy: idle\ncopy has never run\n',
    });
  });

  test('bears an agent that restarts', async () => {
    const { operator, socketPath, close } = await serve();
    operator.show(RUNNING);
    const running = begin(['wait', 'copy', '--socket', socketPath]);
    await eventually(() => expect(running.stderr()).toContain('copy/2: running'));
    await close();
    await eventually(() => expect(running.stderr()).toContain('the agent does not answer'));
    const next = new OperatorInMemory();
    next.show(ended('succeeded'));
    const server = createControlServer({
      operator: next,
      socketPath,
      version: '0',
      openLog: () => new RunLog('/none'),
      makeDefinition,
      makeTracked,
      adHoc: () => ({ policy: 'group', agentUid: process.getuid?.() }),
      plainDetail: (text) => text,
    });
    await server.listen();
    onTestFinished(() => server.close());
    expect((await running.done).code).toBe(0);
  });
});

describe('status', () => {
  test('prints the table; --json prints the document; a name prints one job', async () => {
    const { operator, socketPath } = await serve();
    operator.document = FULL_STATUS;
    operator.entries.set('nightly-files', [
      { at: AT, run: 'nightly-files/3', event: 'job.started', fields: { pid: 123 } },
    ]);
    const all = await run(['status', '--socket', socketPath]);
    expect([all.code, all.stderr]).toEqual([0, '']);
    expect(all.stdout).toMatch(/^degraded: [^]*\nJOB .*\nnightly-files /);
    const json = await run(['status', '--json', '--socket', socketPath]);
    expect(JSON.parse(json.stdout)).toEqual(FULL_STATUS);
    const one = await run(['status', 'nightly-files', '--socket', socketPath]);
    expect(one.stdout).toMatch(/^nightly-files\/3 [^]*03:00:00 {2}#3 {2}job started, pid 123\n$/);
    const document = await run(['status', 'nightly-files', '--json', '--socket', socketPath]);
    const jobs = FULL_STATUS.jobs.map((job) => ({ ...job, earlierRuns: [], pending: [] }));
    expect(JSON.parse(document.stdout)).toEqual({ ...FULL_STATUS, jobs });
  });

  test('is 3 where there is no such job', async () => {
    const { socketPath } = await serve();
    for (const message of [
      ['status', 'none'],
      ['events', 'none'],
      ['logs', 'none'],
      ['wait', 'none'],
    ]) {
      const { code, stderr, stdout } = await run([...message, '--socket', socketPath]);
      expect([message[0], code, stdout, stderr]).toEqual([
        message[0],
        3,
        '',
        'migration-agent: there is no job "none"\n',
      ]);
    }
  });

  test('colours are for terminals that want them', async () => {
    const { operator, socketPath } = await serve();
    operator.document = FULL_STATUS;
    const message = ['status', '--socket', socketPath];
    const terminal = { columns: 100, rows: 30 };
    expect((await run(message, { terminal })).stdout).toContain('\u001b[');
    expect((await run(message)).stdout).not.toContain('\u001b[');
    expect((await run(message, { terminal, environment: { NO_COLOR: '1' } })).stdout).not.toContain(
      '\u001b[',
    );
    expect((await run(message, { terminal, environment: { TERM: 'dumb' } })).stdout).not.toContain(
      '\u001b[',
    );
  });
});

describe('events and logs', () => {
  test('events are shown as sentences, or as a JSON document a line', async () => {
    const { operator, socketPath } = await serve();
    operator.show(RUNNING);
    operator.entries.set('copy', [
      { at: AT, run: 'copy/2', event: 'run.queued', fields: {} },
      {
        at: AT,
        run: 'copy/2',
        event: 'tree.signalled',
        fields: { signal: 'SIGTERM', processes: 3 },
      },
    ]);
    const shown = await run(['events', 'copy', '--limit', '1', '--socket', socketPath]);
    expect(shown.stdout).toMatch(/^.*03:00:00 {2}#2 {2}SIGTERM to 3 processes\n$/);
    const json = await run(['events', 'copy', '--json', '--socket', socketPath]);
    expect(
      json.stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { event: string }).event),
    ).toEqual(['run.queued', 'tree.signalled']);
  });

  test('followed events are each shown once, whenever they came', async () => {
    const { operator, socketPath, close } = await serve();
    operator.show(RUNNING);
    const first = { at: AT, run: 'copy/2', event: 'run.queued', fields: {} };
    operator.entries.set('copy', [first]);
    const running = begin(['events', 'copy', '-f', '--json', '--socket', socketPath]);
    await eventually(() => expect(running.stdout()).toContain('run.queued'));
    operator.emit({ ...first, job: 'copy' });
    operator.emit({ ...first, job: 'other', event: 'job.lost' });
    operator.emit({ ...first, job: 'copy', event: 'job.exited' });
    await eventually(() => expect(running.stdout()).toContain('job.exited'));
    await close();
    expect((await running.done).code).toBe(4);
    expect(running.stdout().match(/"event":"[^"]+"/g)).toEqual([
      '"event":"run.queued"',
      '"event":"job.exited"',
    ]);
  });

  test('logs go where the job wrote them', async () => {
    const { operator, directory, socketPath } = await serve();
    operator.show(ended('succeeded'));
    await writeFile(join(directory, 'copy-2.out'), 'one\ntwo\n');
    await writeFile(join(directory, 'copy-2.err'), 'oops\n');
    expect(await run(['logs', 'copy', '--socket', socketPath])).toEqual({
      code: 0,
      stdout: 'one\ntwo\n',
      stderr: 'oops\n',
    });
    expect(
      await run(['logs', 'copy', '-n', '1', '--stream', 'stdout', '--socket', socketPath]),
    ).toEqual({ code: 0, stdout: 'two\n', stderr: '' });
  });

  test('followed logs end with the run and show how it ended', async () => {
    const { operator, directory, socketPath } = await serve();
    operator.show(RUNNING);
    const running = begin(['logs', 'copy', '-f', '--socket', socketPath]);
    await writeFile(join(directory, 'copy-2.out'), 'one\n');
    await eventually(() => expect(running.stdout()).toBe('one\n'));
    await appendFile(join(directory, 'copy-2.out'), 'two\n');
    operator.show(ended('failed'));
    expect(await running.done).toEqual({
      code: 0,
      stdout: 'one\ntwo\n',
      stderr: 'copy/2: failed\n',
    });
  });
});

test('start, drain, resume and reload print the answer of the agent', async () => {
  const { operator, socketPath } = await serve();
  operator.answer = (request) => ({
    ok: true,
    ...(request.type === 'start' ? { run: 'copy/2' } : {}),
    message: `${request.type} it is`,
  });
  expect(await run(['start', 'copy', '--socket', socketPath])).toEqual({
    code: 0,
    stdout: 'copy/2\n',
    stderr: 'start it is\n',
  });
  expect(await run(['drain', '--socket', socketPath])).toEqual({
    code: 0,
    stdout: '',
    stderr: 'drain it is\n',
  });
  expect((await run(['resume', '--socket', socketPath])).code).toBe(0);
  expect(await run(['reload', '--socket', socketPath])).toMatchObject({
    code: 0,
    stderr: 'configuration applied\n',
  });
  operator.reloadReply = {
    ok: false,
    code: 'invalid',
    message: 'config.yaml:3:1 jobs: is missing',
  };
  expect(await run(['reload', '--socket', socketPath])).toEqual({
    code: 78,
    stdout: '',
    stderr: 'migration-agent: config.yaml:3:1 jobs: is missing\n',
  });
});

describe('nobody there', () => {
  test('is an error at once, also of commands that would wait', async () => {
    const path = join(await temporaryDirectory(), 'agent.sock');
    for (const message of [
      ['wait', 'copy'],
      ['cancel', 'copy'],
      ['events', 'copy', '-f'],
    ]) {
      const { code } = await run([...message, '--socket', path]);
      expect([message[0], code]).toEqual([message[0], 4]);
    }
  });

  test.each([
    ['no socket', () => Promise.resolve(), 'does not exist'],
    ['a file that is no socket', (path: string) => writeFile(path, ''), 'no daemon answers'],
    [
      'something that is no agent',
      (path: string) =>
        new Promise<void>((resolve) => {
          const server = createServer((socket) => socket.end('hello\r\n'));
          server.listen(path, resolve);
          onTestFinished(() => void server.close());
        }),
      'no daemon answers',
    ],
  ])('%s is explained, with exit code 4', async (_what, prepare, message) => {
    const path = join(await temporaryDirectory(), 'agent.sock');
    await prepare(path);
    const { code, stderr, stdout } = await run(['status', '--socket', path]);
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain(path);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test.skipIf(process.getuid?.() === 0)(
    'a socket that is not of the agent is named as such (skipped for root)',
    async () => {
      const { socketPath } = await serve();
      await chmod(socketPath, 0);
      expect((await run(['status', '--socket', socketPath])).stderr).toContain('permission denied');
    },
  );
});

describe('usage', () => {
  test.each([
    [[], 2],
    [['dance'], 2],
    [['status', '--verbose'], 2],
    [['cancel'], 2],
    [['run'], 2],
    [['run', '--name', 'a'], 2],
    [['run', '--name', 'a', '--env', 'A', '--', 'a'], 2],
    [['run', '--name', 'a', '--progress', 'guess', '--', 'a'], 2],
    [['wait', 'a', '--for', 'ever'], 2],
    [['events', 'a', '--limit', '-1'], 2],
    [['status', '--help'], 0],
    [['--help'], 0],
  ])('%j exits with %i', async (message, code) => {
    expect((await run(message)).code).toBe(code);
  });

  test('every command has an example in its help, on stdout', async () => {
    for (const name of [
      'run',
      'start',
      'status',
      'events',
      'logs',
      'wait',
      'cancel',
      'drain',
      'resume',
      'reload',
    ]) {
      const { stdout } = await run([name, '--help']);
      expect(stdout).toMatch(new RegExp(`\nExample:\n {2}migration-agent ${name}`));
      expect(stdout).toContain('--socket');
    }
  });
});

describe('status --watch', () => {
  test('redraws in place on a terminal and shows what changed, also that the agent is gone', async () => {
    const { operator, socketPath, close } = await serve();
    operator.show(RUNNING);
    const terminal = { columns: 80, rows: 24 };
    const running = begin(['status', '--watch', '--socket', socketPath], { terminal });
    await eventually(() => expect(running.stdout()).toContain('running'));
    operator.show(ended('succeeded'));
    await eventually(() => expect(running.stdout()).toContain('succeeded'));
    await close();
    await eventually(() => expect(running.stdout()).toContain('trying again'));
    // Each picture but the first begins where its predecessor did, and leaves nothing of it below.
    const pictures = running.stdout().split(/\r\u001b\[\d+A/);
    expect(pictures.length).toBeGreaterThan(2);
    for (const picture of pictures) expect(picture).toMatch(/^\u001b\[2K[^]*\n\u001b\[J$/);
    running.stop();
    expect((await running.done).code).toBe(0);
  });

  test('ends with 3 when there is no such job', async () => {
    const { socketPath } = await serve();
    expect((await run(['status', 'none', '--watch', '--socket', socketPath])).code).toBe(3);
  });
});

describe('status --state', () => {
  const jobs = [
    jobNamed('runs', { run: 1, state: 'running' }),
    jobNamed('stalls', { run: 1, state: 'running', stalled: true }),
    jobNamed('failed', { run: 1, state: 'failed', endedAt: '2026-11-22T03:00:00.000Z' }),
  ];

  test('shows only jobs in these states, as a table and as JSON', async () => {
    const { operator, socketPath } = await serve();
    operator.show(...jobs);
    const namesOf = async (states: string) => {
      const message = ['status', '--json', '--state', states, '--socket', socketPath];
      const document = JSON.parse((await run(message)).stdout) as { jobs: { name: string }[] };
      return document.jobs.map(({ name }) => name);
    };
    expect(await namesOf('failed,stalled')).toEqual(['stalls', 'failed']);
    expect(await namesOf('running')).toEqual(['runs', 'stalls']);
    const { stdout } = await run(['status', '--state', 'failed', '--socket', socketPath]);
    expect(stdout).toContain('failed');
    expect(stdout).not.toContain('stalls');
  });

  test('a state that is none is wrong usage, with those that there are', async () => {
    const { code, stderr } = await run(['status', '--state', 'broken']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/lost, failed, fenced, stalled/)]);
  });
});

test('on a terminal 500 jobs take no more than its rows, and the two that failed come first', async () => {
  const { operator, socketPath } = await serve();
  const many = Array.from({ length: 500 }, (_, index) =>
    index % 250 === 99
      ? jobNamed(`job-${index}`, {
          run: 1,
          state: 'failed',
          exitCode: 23,
          reason: 'exit code 23',
          endedAt: '2026-11-22T03:00:00.000Z',
        })
      : jobNamed(`job-${index}`, { run: 1, state: 'running' }),
  );
  operator.show(...many);
  const terminal = { columns: 80, rows: 24 };
  const { stdout } = await run(['status', '--socket', socketPath], { terminal });
  const lines = stdout.trimEnd().split('\n');
  expect(lines.length).toBe(23);
  expect(lines.slice(1, 2)).toEqual(['500 jobs: 2 failed, 498 running']);

  const plain = lines.map((line) => line.replaceAll(/\u001b\[\d+m/g, ''));
  expect(plain.slice(4, 7)).toEqual([
    expect.stringMatching(/^job-99 +failed 23 .* exit code 23$/),
    expect.stringMatching(/^job-349 +failed 23 .* exit code 23$/),
    expect.stringMatching(/^job-0 +running$/),
  ]);
  expect(plain.at(-1)).toBe('… and 482 running; all of them: status --all');
});

describe('messages are about what was typed', () => {
  test('run makes up a name from the program', async () => {
    const { operator, socketPath } = await serve();
    for (const program of ['/usr/bin/rsync', '-x', 'ü$(id)']) {
      await run(['run', '--socket', socketPath, '--', program]);
    }
    const names = operator.asked.map((each) => each.type === 'submit' && each.definition.name);
    expect(names).toEqual([
      expect.stringMatching(/^rsync-[0-9a-f]{6}$/),
      expect.stringMatching(/^x-[0-9a-f]{6}$/),
      expect.stringMatching(/^id-[0-9a-f]{6}$/),
    ]);
  });

  test('the agent names a key, the command its option', async () => {
    const { socketPath } = await serve();
    const { code, stderr } = await run([
      ...['run', '--socket', socketPath, '--name', 'x', '--progress', 'regex', '--', 'a'],
    ]);
    expect([code, stderr]).toEqual([2, expect.not.stringContaining('body')]);
  });

  test.each([
    ['status', 'nightly-file'],
    ['wait', 'nighlty-files'],
    ['logs', 'nightly_files'],
    ['events', 'nightly'],
  ])('%s %s: did you mean', async (command, name) => {
    const { operator, socketPath } = await serve();
    operator.show(jobNamed('nightly-files'), jobNamed('other'));
    const { code, stderr } = await run([command, name, '--socket', socketPath]);
    expect([code, stderr]).toEqual([
      3,
      `migration-agent: there is no job "${name}"; did you mean "nightly-files"?\n`,
    ]);
  });

  test('a name that is like no other gets no suggestion', async () => {
    const { operator, socketPath } = await serve();
    operator.show(jobNamed('nightly-files'));
    const { stderr } = await run(['status', 'zzz', '--socket', socketPath]);
    expect(stderr).toBe('migration-agent: there is no job "zzz"\n');
  });

  test('a name may have what the configuration allows', async () => {
    const { operator, socketPath } = await serve();
    const name = `a@b+c=${'d'.repeat(122)}`;
    await run(['run', '--socket', socketPath, '--name', name, '--', 'a']);
    expect(operator.asked).toMatchObject([{ definition: { name } }]);
  });
});
