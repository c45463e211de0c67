/** What one look at a status file finds: by its kind, its rights, its version and its text. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parseStatus, readStatusFile } from '../../../src/jobs/tracked/status-file.ts';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'status-file-'));
  chmodSync(directory, 0o755);
  const made = directory;
  onTestFinished(() => rmSync(made, { recursive: true }));
  path = join(directory, 'status.json');
});

/** A user who owns nothing here and is in no group. */
const STRANGER = { uid: 54_321, groups: [] };
const FORBIDDEN = {
  ...{ kind: 'bad', problem: 'may not be read by the user who asked for tracking', version: '' },
};

test('a file that is not there is missing; a place where none can be is bad', async () => {
  expect(await readStatusFile(path, undefined)).toEqual({ kind: 'missing' });
  writeFileSync(path, '{}');
  expect(await readStatusFile(join(path, 'below'), undefined)).toMatchObject({
    ...{ kind: 'bad', version: '' },
    problem: expect.stringMatching(/^cannot be read: ENOTDIR/) as string,
  });
});

test('the version of a file is known again until it changes', async () => {
  writeFileSync(path, '{"percent": 1}');
  const first = await readStatusFile(path, undefined);
  expect(first).toMatchObject({ kind: 'read', fields: { percent: 1 } });
  const { version } = first as { version: string };
  expect(await readStatusFile(path, version)).toEqual({ kind: 'unchanged' });
  utimesSync(path, 1, 1);
  expect((await readStatusFile(path, version)).kind).toBe('read');
});

test('a bad file has a version, too: it is said once', async () => {
  writeFileSync(path, 'x');
  const bad = await readStatusFile(path, undefined);
  expect(bad).toMatchObject({ kind: 'bad', problem: 'is not JSON' });
  expect(await readStatusFile(path, (bad as { version: string }).version)).toEqual({
    kind: 'unchanged',
  });
});

test('a link and a directory are no status files', async () => {
  writeFileSync(`${path}-target`, '{}');
  symlinkSync(`${path}-target`, path);
  expect(await readStatusFile(path, undefined)).toMatchObject({
    ...{ kind: 'bad', problem: 'is a symbolic link, which is not followed' },
  });
  mkdirSync(join(directory, 'folder'));
  expect(await readStatusFile(join(directory, 'folder'), undefined)).toMatchObject({
    ...{ kind: 'bad', problem: 'is not a regular file' },
  });
});

test('64 KiB are read, one byte more is not', async () => {
  const text = (bytes: number): string => `{"detail": "${'x'.repeat(bytes - 14)}"}`;
  writeFileSync(path, text(65_536));
  expect(statSync(path).size).toBe(65_536);
  expect((await readStatusFile(path, undefined)).kind).toBe('read');
  writeFileSync(path, text(65_537));
  expect(await readStatusFile(path, undefined)).toMatchObject({
    problem: 'has 65537 bytes; 65536 at most',
  });
});

test('the mark of the byte order that some editors write is no fault', async () => {
  writeFileSync(path, '\ufeff{"percent": 7}');
  expect(await readStatusFile(path, undefined)).toMatchObject({ fields: { percent: 7 } });
});

describe('with the rights of the user who asked', () => {
  test('a file that everybody may read is read', async () => {
    writeFileSync(path, '{"percent": 7}');
    chmodSync(path, 0o644);
    expect(await readStatusFile(path, undefined, STRANGER)).toMatchObject({
      fields: { percent: 7 },
    });
  });

  test.each([
    ['a file of others', 0o600, 0o755],
    ['a directory of others', 0o644, 0o700],
  ])('%s shows nothing, whatever it is', async (_what, mode, directoryMode) => {
    writeFileSync(path, 'not JSON');
    chmodSync(path, mode);
    chmodSync(directory, directoryMode);
    expect(await readStatusFile(path, undefined, STRANGER)).toEqual(FORBIDDEN);
    if (directoryMode === 0o700) {
      expect(await readStatusFile(`${path}-none`, undefined, STRANGER)).toEqual(FORBIDDEN);
    }
  });

  test('what they own they may read', async () => {
    writeFileSync(path, '{"percent": 7}');
    chmodSync(path, 0o600);
    const owner = { uid: statSync(path).uid, groups: [] };
    expect((await readStatusFile(path, undefined, owner)).kind).toBe('read');
  });
});

test.each<[string, object]>([
  ['{}', {}],
  ['{"percent": null, "detail": null, "status": null}', {}],
  ['{"percent": 0, "detail": "", "status": "running", "more": [1]}', { percent: 0, detail: '' }],
  ['{"percent": 100, "status": "completed"}', { percent: 100, status: 'completed' }],
  ['{"status": "failed", "detail": "why"}', { status: 'failed', detail: 'why' }],
])('%s is read', (text, fields) => {
  expect(parseStatus(text)).toEqual(fields);
});

test.each([
  ['  ', 'is empty'],
  ['null', 'is not a JSON object'],
  ['5', 'is not a JSON object'],
  ['{"percent": -0.1}', 'percent: expected a number from 0 to 100, found -0.1'],
  ['{"percent": 100.1}', 'found 100.1'],
  ['{"percent": true}', 'found a boolean'],
  ['{"percent": []}', 'found a list'],
  ['{"detail": 5}', 'detail: expected text, found a number'],
  ['{"status": 5}', 'status: expected running, completed or failed, found a number'],
  [`{"status": "${'x'.repeat(21)}"}`, 'found text'],
])('%s is refused', (text, problem) => {
  expect(parseStatus(text)).toContain(problem);
});
