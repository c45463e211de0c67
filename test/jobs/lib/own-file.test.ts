/** Files of the agent in a place where its jobs may write: nothing but a regular file of its own user is opened. */
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import {
  NotOwnFile,
  openOwn,
  openOwnIfThere,
  openOwnSync,
  readOwnSync,
} from '../../../src/jobs/lib/own-file.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'own-file-'));
  const made = directory;
  onTestFinished(() => rmSync(made, { recursive: true }));
});

function path(name: string, text?: string): string {
  const at = join(directory, name);
  if (text !== undefined) writeFileSync(at, text);
  return at;
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;

async function refusals(at: string): Promise<unknown[]> {
  const before = descriptors();
  const found = [
    await openOwn(at).catch((error: unknown) => error),
    await openOwnIfThere(at).catch((error: unknown) => error),
    caught(() => openOwnSync(at, constants.O_RDONLY)),
    caught(() => readOwnSync(at, 10)),
  ];
  // What was opened to be looked at is closed.
  expect(descriptors()).toBe(before);
  return found;
}

function caught(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

test('a file of the agent is opened; what is made is its own alone', async () => {
  const at = path('file', 'content');
  const file = await openOwn(at);
  expect(await file.readFile('utf8')).toBe('content');
  await file.close();
  await (await openOwnIfThere(at))?.close();
  expect([readOwnSync(at, 100), readOwnSync(at, 4)]).toEqual(['content', 'cont']);
  const made = path('made');
  closeSync(openOwnSync(made, constants.O_WRONLY | constants.O_CREAT));
  expect(statSync(made).mode & 0o777).toBe(0o600);
  expect(readFileSync(made, 'utf8')).toBe('');
});

test('what is not there is no file, which is an error only for who needs it', async () => {
  const at = path('none');
  expect(await openOwnIfThere(at)).toBeUndefined();
  expect(readOwnSync(at, 10)).toBeUndefined();
  await expect(openOwn(at)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(() => openOwnSync(at, constants.O_RDONLY)).toThrow('ENOENT');
});

test('a directory, a link and a socket are none', async () => {
  const [folder, link, socket] = ['folder', 'link', 'socket'].map((name) => path(name));
  mkdirSync(folder!);
  symlinkSync(path('target', 'secret'), link!);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(() => void server.close());
  for (const at of [folder!, link!, socket!]) {
    for (const error of await refusals(at)) {
      expect(error).toBeInstanceOf(NotOwnFile);
      expect((error as Error).message).toContain(`${at} is not a regular file`);
    }
  }
});

test('a file of another user is none', async () => {
  const at = path('file', 'content');
  const user = vi.spyOn(process, 'geteuid').mockReturnValue((process.geteuid?.() ?? 0) + 1);
  onTestFinished(() => user.mockRestore());
  for (const error of await refusals(at)) {
    expect(error).toBeInstanceOf(NotOwnFile);
    expect((error as Error).message).toContain('not to the agent');
  }
});
