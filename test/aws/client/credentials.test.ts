/**
 * Credentials: limits where the SDK's chain has none, replaced ones found, and no herd of calls behind a
 * slow helper.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Credentials } from '../../../src/aws/client/credentials.ts';
import type { Services } from '../../../src/ports.ts';
import { CALLS, fail, ok, servicesAt, PATIENT, setEnvironment, startStub } from '../aws-stub.ts';
import { until } from '../../support/until.ts';
import type { SeenRequest, Stub } from '../aws-stub.ts';

let directory: string;
let stub: Stub;
const open: Services[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'migration-agent-aws-'));
  stub = await startStub();
  setEnvironment({
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_CONFIG_FILE: join(directory, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(directory, 'credentials'),
  });
});

afterEach(async () => {
  for (const services of open.splice(0)) services.close();
  await stub.close();
  await rm(directory, { recursive: true });
  setEnvironment();
});

function services(options: Parameters<typeof servicesAt>[1] = {}): Services {
  const made = servicesAt(stub.url, options);
  open.push(made);
  return made;
}

async function writeKeys(key: string, profile = 'default'): Promise<void> {
  const text = `[${profile}]\naws_access_key_id = ${key}\naws_secret_access_key = example\n`;
  await writeFile(join(directory, 'credentials'), text);
}

/** A `credential_process` that runs `script` and counts how often it did. */
async function writeHelper(script: string): Promise<void> {
  const helper = join(directory, 'helper.sh');
  await writeFile(helper, `#!/bin/sh\necho run >> ${directory}/runs\n${script}\n`);
  await chmod(helper, 0o755);
  await writeFile(join(directory, 'config'), `[default]\ncredential_process = ${helper}\n`);
}

function printKeys(key: string, expiration?: Date): string {
  const keys = {
    Version: 1,
    AccessKeyId: key,
    SecretAccessKey: 'example',
    ...(expiration === undefined ? {} : { Expiration: expiration.toISOString() }),
  };
  return `echo '${JSON.stringify(keys)}'`;
}

function keyOf(request: SeenRequest | undefined): string | undefined {
  return /Credential=([^/]+)/u.exec(request?.headers.authorization ?? '')?.[1];
}

describe('credentials', () => {
  test('that are missing are reported as denied, with a clear message', async () => {
    for (const call of [CALLS.ImportMigrationTask, CALLS.ReportTaskProgress]) {
      const outcome = await services().send(call);
      expect(outcome).toMatchObject({ kind: 'denied' });
      expect(outcome.kind === 'denied' && outcome.reason).toMatch(/^CredentialsProviderError: /u);
    }
    expect(stub.requests).toHaveLength(0);
  });

  test('are those of the configured profile', async () => {
    await writeKeys('AKIDPROFILE', 'migration');
    const made = services({ profile: 'migration' });
    await made.send(CALLS.ImportMigrationTask);
    await made.send(CALLS.ReportTaskProgress);
    expect(stub.requests.map(keyOf)).toEqual(['AKIDPROFILE', 'AKIDPROFILE']);
  });

  test('are loaded once for many calls and both services', async () => {
    await writeHelper(printKeys('AKIDHELPER'));
    const made = services();
    await made.send(CALLS.ReportTaskProgress);
    await Promise.all(Object.values(CALLS).map((call) => made.send(call)));
    expect(await runs()).toBe(1);
    expect(new Set(stub.requests.map(keyOf))).toEqual(new Set(['AKIDHELPER']));
  });

  test('that AWS reports as expired are loaded again before the next call', async () => {
    await writeKeys('AKIDOLD');
    const made = services();
    for (const call of [CALLS.ImportMigrationTask, CALLS.ReportTaskProgress]) await made.send(call);
    await writeKeys('AKIDNEW');
    stub.answer = (response, request) =>
      (keyOf(request) === 'AKIDNEW' ? ok({}) : fail(400, 'ExpiredTokenException'))(
        response,
        request,
      );
    expect((await made.send(CALLS.ImportMigrationTask)).kind).toBe('denied');
    expect((await made.send(CALLS.ImportMigrationTask)).kind).toBe('accepted');
    expect((await made.send(CALLS.ReportTaskProgress)).kind).toBe('accepted');
  });

  test('are not loaded again for each call that is denied', async () => {
    await writeHelper(printKeys('AKIDHELPER'));
    stub.answer = fail(400, 'ExpiredTokenException');
    const made = services();
    for (let i = 0; i < 5; i++) await made.send(CALLS.ReportTaskProgress);
    expect(await runs()).toBe(2);
  });

  test('stay in use if a permission is missing', async () => {
    await writeHelper(printKeys('AKIDHELPER'));
    stub.answer = fail(400, 'AccessDeniedException');
    const made = services();
    for (let i = 0; i < 3; i++) await made.send(CALLS.ReportTaskProgress);
    expect(await runs()).toBe(1);
  });

  test('that end soon are loaded ahead while calls go on with them', async () => {
    const go = join(directory, 'go');
    // Later than this test waits: only a load ahead of time brings the next ones.
    const soon = printKeys('AKIDSOON', new Date(Date.now() + 280_000));
    const next = printKeys('AKIDNEXT', new Date(Date.now() + 7_200_000));
    await writeHelper(
      `if [ "$(wc -l < ${directory}/runs)" = 1 ]; then ${soon}; exit; fi
       until [ -e ${go} ]; do sleep 0.05; done
       ${next}`,
    );
    const made = services();
    await made.send(CALLS.ReportTaskProgress);
    expect((await made.send(CALLS.ReportTaskProgress)).kind).toBe('accepted');
    expect(keyOf(stub.requests[1])).toBe('AKIDSOON');
    await writeFile(go, '');
    await until('the next ones are used', async () => {
      await made.send(CALLS.ReportTaskProgress);
      return keyOf(stub.requests.at(-1)) === 'AKIDNEXT';
    });
  });
});

describe('a helper that hangs', () => {
  test('holds a call no longer than the limit; when it answers at last, the next call goes', async () => {
    const go = join(directory, 'go');
    await writeHelper(`until [ -e ${go} ]; do sleep 0.05; done\n${printKeys('AKIDLATE')}`);
    const made = services({ limits: { ...PATIENT, credentialsMs: 300 } });
    const outcome = await made.send(CALLS.ReportTaskProgress);
    expect(outcome).toMatchObject({
      kind: 'unavailable',
      reason: 'Error: no credentials within 0.3 s',
    });
    await writeFile(go, '');
    await until(
      'a call goes',
      async () => (await made.send(CALLS.ReportTaskProgress)).kind === 'accepted',
    );
    expect(await runs()).toBe(1);
    expect(keyOf(stub.requests[0])).toBe('AKIDLATE');
  });

  test('causes no burst of calls: of those that waited long, only one of each operation is made, each time', async () => {
    let laterMs = 0;
    const now = performance.now.bind(performance);
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + laterMs);
    onTestFinished(() => clock.mockRestore());
    await writeHelper(
      `until [ -e ${directory}/go-$(wc -l < ${directory}/runs) ]; do sleep 0.05; done
       ${printKeys('AKIDLATE')}`,
    );
    const made = services({ limits: PATIENT });
    const herd = async (load: number, count: number): Promise<string[]> => {
      const outcomes = Array.from({ length: count }, () => [
        made.send(CALLS.ReportTaskProgress),
        made.send(CALLS.ImportMigrationTask),
      ]);
      laterMs += 1001;
      await writeFile(join(directory, `go-${load}`), '');
      return (await Promise.all(outcomes.flat())).map(({ kind }) => kind);
    };
    const kinds = await herd(1, 20);
    expect(kinds.filter((kind) => kind === 'accepted')).toHaveLength(2);
    expect(kinds.filter((kind) => kind === 'unavailable')).toHaveLength(38);
    expect(stub.requests).toHaveLength(2);
    stub.answer = fail(400, 'ExpiredTokenException');
    await made.send(CALLS.ReportTaskProgress);
    stub.answer = ok({});
    const again = await herd(2, 3);
    expect(await runs()).toBe(2);
    expect(again.filter((kind) => kind === 'accepted')).toHaveLength(2);
    expect(stub.requests).toHaveLength(5);
  });
});

async function runs(): Promise<number> {
  return (await readFile(join(directory, 'runs'), 'utf8')).trim().split('\n').length;
}

/** A turn of the loop, in which files and processes are heard. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('the cache of credentials', () => {
  function cache(limitMs = 90_000): Credentials {
    return new Credentials({
      ...{ profile: undefined, region: () => Promise.resolve('us-west-2'), limitMs },
      handler: () => Promise.resolve(new NodeHttpHandler()),
    });
  }

  test('a load is waited for as long as its limit, to the millisecond, and replaced after twelve of them', async () => {
    const go = join(directory, 'go');
    await writeHelper(`until [ -e ${go} ]; do sleep 0.05; done\n${printKeys('AKIDLATE')}`);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const credentials = cache(1000);
      const begun = async (count: number): Promise<void> => {
        while ((await runs().catch(() => 0)) < count) await turn();
      };
      let said = '';
      const ask = (): Promise<void> =>
        credentials.provide().then(
          () => void (said = 'given'),
          (error: unknown) => void (said = String(error)),
        );
      const first = ask();
      await begun(1);
      await vi.advanceTimersByTimeAsync(999);
      expect(said).toBe('');
      await vi.advanceTimersByTimeAsync(1);
      await first;
      expect(said).toBe('Error: no credentials within 1 s');
      await vi.advanceTimersByTimeAsync(10_999);
      const second = ask();
      for (let i = 0; i < 20; i++) await turn();
      expect(await runs()).toBe(1);
      await vi.advanceTimersByTimeAsync(1);
      const third = ask();
      await begun(2);
      await writeFile(go, '');
      await third;
      await second;
      expect(credentials.isReady()).toBe(true);
    } finally {
      await writeFile(go, '');
      vi.useRealTimers();
    }
  });

  test('that have ended are not used, however soon they ended', async () => {
    const endsAt = new Date(Date.now() + 1_500);
    await writeHelper(
      `if [ "$(wc -l < ${directory}/runs)" = 1 ]; then ${printKeys('AKIDSOON', endsAt)}; exit; fi
       ${printKeys('AKIDNEXT')}`,
    );
    const credentials = cache();
    const first = await credentials.provide().catch(() => undefined);
    await until('they have ended', () => Date.now() > endsAt.getTime());
    expect((await credentials.provide()).accessKeyId).toBe('AKIDNEXT');
    // On a machine that was busy for so long they had ended before they were read.
    expect([undefined, 'AKIDSOON']).toContain(first?.accessKeyId);
  });

  test('newer ones stay when a call is rejected that was made with older ones', async () => {
    await writeKeys('AKIDOLD');
    const credentials = cache();
    const old = await credentials.provide();
    credentials.discard(old);
    expect(credentials.held()).toBeUndefined();
    await writeKeys('AKIDNEW');
    const later = cache();
    await later.provide();
    // The rejection of a call that was signed before these were loaded.
    later.discard(old);
    expect(later.held()?.accessKeyId).toBe('AKIDNEW');
    later.discard(later.held());
    expect(later.held()).toBeUndefined();
  });

  test('a helper that hangs for ever is given up, and what it prints at last does not replace newer ones', async () => {
    const go = join(directory, 'go');
    await writeHelper(
      `if [ "$(wc -l < ${directory}/runs)" = 1 ]; then
         until [ -e ${go} ]; do sleep 0.05; done; echo $$ > ${directory}/late; ${printKeys('AKIDLATE')}; exit
       fi
       ${printKeys('AKIDNEW')}`,
    );
    const credentials = cache(50);
    await expect(credentials.provide()).rejects.toThrow('no credentials within 0.05 s');
    await until('another load has begun and ended', async () => {
      await credentials.provide().catch(() => undefined);
      return credentials.held() !== undefined;
    });
    expect(credentials.held()?.accessKeyId).toBe('AKIDNEW');
    await writeFile(go, '');
    const pid = async (): Promise<string> =>
      readFile(join(directory, 'late'), 'utf8').catch(() => '');
    await until('the late one has ended', async () => {
      const late = (await pid()).trim();
      return late !== '' && !existsSync(`/proc/${late}`);
    });
    // The end of the helper is an event of this process: a few turns later it has been taken in.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(credentials.held()?.accessKeyId).toBe('AKIDNEW');
  });
});
