/** Signals, sent to a real process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { expect, test } from 'vitest';

async function program() {
  const source = `import { onSignals } from ${JSON.stringify(new URL('../../src/system/signals.ts', import.meta.url).href)};
    const handlers = { stop: (signal) => console.log('stop', signal), reload: () => console.log('reload') };
    const off = onSignals(handlers);
    process.stdin.once('data', () => { off(); console.log('off'); });
    console.log('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => (await lines.next()).value!;
  expect(await line()).toBe('ready');
  return { child, line, ended: once(child, 'exit') as Promise<[number | null, string | null]> };
}

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)(
  'the first %s asks for the end, a second one ends at once with %i',
  async (signal, code) => {
    const { child, line, ended } = await program();
    child.kill(signal);
    expect(await line()).toBe(`stop ${signal}`);
    child.kill(signal);
    expect(await ended).toEqual([code, null]);
  },
);

test('the code is that of the second signal', async () => {
  const { child, line, ended } = await program();
  child.kill('SIGTERM');
  expect(await line()).toBe('stop SIGTERM');
  child.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
});

test('SIGHUP reloads as often as it comes, SIGPIPE is nothing', async () => {
  const { child, line, ended } = await program();
  child.kill('SIGPIPE');
  child.kill('SIGHUP');
  expect(await line()).toBe('reload');
  child.kill('SIGHUP');
  expect(await line()).toBe('reload');
  child.kill('SIGKILL');
  await ended;
});

test('taken away, the signals are those of the system again', async () => {
  const { child, line, ended } = await program();
  child.stdin.write('x');
  expect(await line()).toBe('off');
  child.kill('SIGTERM');
  expect(await ended).toEqual([null, 'SIGTERM']);
});
