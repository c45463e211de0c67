/** Many items at once, one JSON object a line: what is sent, and which line each problem names. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Client } from '../../../src/cli/client/client.ts';
import { Refusal } from '../../../src/cli/client/client.ts';
import { fittingViewOf, viewOf } from '../../../src/cli/client/client-command.ts';
import { sendLines } from '../../../src/cli/client/json-lines.ts';
import type { Terminal } from '../../../src/cli/terminal/terminal.ts';
import { Collector } from '../terminal-in-memory.ts';

let file: string;
let posted: unknown[][];
let refused: object[][];
let failure: (part: number) => Error | undefined;
let stderr: Collector;

beforeEach(() => {
  const directory = mkdtempSync(join(tmpdir(), 'json-lines-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  file = join(directory, 'many');
  [posted, refused] = [[], []];
  failure = () => undefined;
});

const client = {
  post: (_path: string, items: unknown[]) => {
    const part = posted.push(items);
    const error = failure(part);
    if (error !== undefined) return Promise.reject(error);
    return Promise.resolve({ message: `part ${part}\u0007`, refused: refused[part - 1] ?? [] });
  },
} as unknown as Client;

async function send(text: string, from = file): Promise<number> {
  writeFileSync(file, text);
  stderr = new Collector(undefined);
  const stdin = Readable.from([Buffer.from(text)]);
  return sendLines(client, '/v1/reports', from, { stderr, stdin } as unknown as Terminal);
}

test('each line is one item, blank ones are none, and the answer is printed', async () => {
  expect(await send('{"name":"a"}\n\n  \r\n{"name":"b"}\r\n')).toBe(0);
  expect(posted).toEqual([[{ name: 'a' }, { name: 'b' }]]);
  expect(stderr.text).toBe('part 1\n');
});

test.each([
  ['file', () => file, () => file],
  ['standard input', () => '-', () => '(stdin)'],
])(
  'lines of %s that are no object are named, all of them, and nothing is sent',
  async (_what, from, name) => {
    const text = '{"name":"a"}\nnonsense\n\n[]\n5\nnull\n"x"\n';
    const error = (await send(text, from()).catch((one: unknown) => one)) as Error;
    expect(error).toMatchObject({ exitCode: 2 });
    const lines = error.message.split('\n');
    expect(lines[0]).toBe('nothing was taken:');
    expect(lines.slice(1).map((line) => line.split(' ')[0])).toEqual(
      [2, 4, 5, 6, 7].map((line) => `${name()}:${line}`),
    );
    expect(lines[1]).toMatch(/is no JSON: .*nonsense/);
    expect(posted).toEqual([]);
  },
);

test('a file without lines, or that cannot be read, is wrong usage', async () => {
  await expect(send('\n\n')).rejects.toMatchObject({
    exitCode: 2,
    message: `${file} holds no line`,
  });
  await expect(send('', '/nowhere/at/all')).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/^\/nowhere\/at\/all cannot be read: ENOENT/) as string,
  });
});

test('what is refused is named by its line; no such job is exit code 3, anything else 1', async () => {
  const one = (index: number, code: string) => ({
    index,
    name: 'a\u0007',
    code,
    message: 'no\u0007',
  });
  refused = [[one(1, 'conflict')]];
  expect(await send('{"name":"a"}\n\n{"name":"b"}\n')).toBe(1);
  expect(stderr.text).toBe(`${file}:3 a: no\npart 1\n`);
  [posted, refused] = [[], [[one(0, 'conflict'), one(7, 'no-such-job')]]];
  expect(await send('{"name":"a"}\n')).toBe(3);
  expect(stderr.text).toContain(`${file}:? a: no`);
});

test('ten thousand go in a request; a refusal says what was taken before, and by which lines', async () => {
  const many = Array.from({ length: 10_001 }, (_, index) => `{"n":${index}}`).join('\n');
  expect(await send(`\n${many}`)).toBe(0);
  expect(posted.map(({ length }) => length)).toEqual([10_000, 1]);
  const refuse = new Refusal('invalid', 'body[0].percent: too high; body[5]: wrong');
  posted = [];
  failure = (part) => (part === 2 ? refuse : undefined);
  await expect(send(`\n${many}`)).rejects.toMatchObject({
    exitCode: 2,
    message: `only the first 10000 were taken:\n${file}:10002 percent: too high\n${file}:? wrong`,
  });
  failure = () => refuse;
  await expect(send('{}\n')).rejects.toThrow(`nothing was taken:\n${file}:1 percent: too high`);
  failure = () => new TypeError('a mistake');
  await expect(send('{}\n')).rejects.toThrow('a mistake');
});

test('a document is shown as wide as the terminal; a picture leaves a row of it', () => {
  const at = '2026-11-22T03:12:00.000Z';
  const stdout = new Collector({ columns: 99, rows: 30 });
  const terminal = { stdout, environment: { TERM: 'xterm' } } as unknown as Terminal;
  const view = { width: 99, color: true, now: new Date(at) };
  expect(viewOf(terminal, at)).toEqual(view);
  expect(fittingViewOf(terminal, at)).toEqual({ ...view, height: 29 });
  const file = { ...terminal, stdout: new Collector(undefined) };
  expect(fittingViewOf(file, at)).toEqual({ ...view, width: 80, color: false });
});
