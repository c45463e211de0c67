/** What is made of each thing that find writes, complains of or ends with: find itself is played here. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { EntryBytes, Measure, TreeSizeOptions } from '../../../src/jobs/progress/tree-size.ts';
import { measure } from '../../../src/jobs/progress/tree-size.ts';
import { eventually } from '../../support/until.ts';
import { FakeHelper } from './fake-helper.ts';

const started = vi.hoisted(() => ({ error: undefined as Error | undefined }));
let find: FakeHelper;

vi.mock(import('../../../src/jobs/process/helper.ts'), async (original) => ({
  ...(await original()),
  startHelper: (_launch, command, signal) => {
    if (started.error !== undefined) throw started.error;
    find = new FakeHelper(command, signal);
    return find.asHelper;
  },
}));

let closing: AbortController;
beforeEach(() => {
  started.error = undefined;
  closing = new AbortController();
});

function begin(over: Partial<TreeSizeOptions> = {}): Promise<Measure> {
  return measure('/srv/a', { launch: { cwd: '/x', env: {} }, closing: closing.signal, ...over });
}

interface Walk {
  readonly out?: string;
  readonly complaints?: string;
  readonly code?: number | null;
  readonly entryBytes?: EntryBytes;
}
async function walk({ out = '', complaints = '', code = 0, ...over }: Walk): Promise<Measure> {
  const result = begin(over);
  find.stdout.write(out);
  find.stderr.write(complaints);
  await find.end(code);
  return result;
}

const whole = (bytes: number): Measure => ({ bytes, isWhole: true });
const DIRECTORY = '0 d 4096\0';

describe('bytes', () => {
  test('are those of files below the directory: not of directories, links or devices', async () => {
    const out = `${DIRECTORY}1 f 10\u00001 d 4096\u00002 f 5\u00001 l 7\u00001 p 3\u00001 s 9\u0000`;
    expect(await walk({ out })).toEqual(whole(15));
  });

  test('of what is measured itself count whatever it is: a file, a device', async () => {
    expect(await walk({ out: '0 f 10\0' })).toEqual(whole(10));
    expect(await walk({ out: '0 b 12\0' })).toEqual(whole(12));
    expect(await walk({ out: DIRECTORY })).toEqual(whole(0));
  });

  test('are counted wherever the pieces of the output are cut; a record without an end is none', async () => {
    const result = begin();
    for (const piece of ['0 d 40', '96\u00001 f', ' 10\u00001 f 7\u00001 f 9'])
      find.stdout.write(piece);
    await find.end(0);
    expect(await result).toEqual(whole(17));
  });

  test('of an entry may be counted otherwise: all are asked for but the one measured, directories with 0', async () => {
    const seen: [number, string][] = [];
    const entryBytes: EntryBytes = (size, name) => {
      seen.push([size, name]);
      return 100;
    };
    const out =
      '0 d 4096 /srv/a\u00001 d 40 /srv/a/d e\u00002 f 5 /srv/a/d e/f\u00001 l 7 /srv/a/l\u0000';
    expect(await walk({ out, entryBytes })).toEqual(whole(300));
    expect(seen).toEqual([
      [0, '/srv/a/d e'],
      [5, '/srv/a/d e/f'],
      [0, '/srv/a/l'],
    ]);
    expect(find.command.at(-1)).toBe(String.raw`%d %y %s %p\0`);
  });

  test('names are not asked for if nobody needs them; a link that is measured is followed', async () => {
    await walk({});
    expect(find.command).toEqual([
      ...['find', '-H', '/srv/a', '-ignore_readdir_race', '-printf', String.raw`%d %y %s\0`],
    ]);
  });
});

describe('what find complains about', () => {
  const missing = (name: string): string => `find: '${name}': No such file or directory\n`;
  const denied = "find: '/srv/a/x': Permission denied\n";

  test.each<[string, Walk, string | undefined]>([
    ['a file that is gone is none', { complaints: missing('/srv/a/x'), code: 1 }, undefined],
    ['a directory that may not be read', { complaints: denied, code: 1 }, denied.trim()],
    ['the first that counts', { complaints: missing('y') + denied, code: 1 }, denied.trim()],
    ['an end without a reason', { code: 1 }, 'find ended with 1'],
    [
      'another end than that of gone files',
      { complaints: missing('x'), code: 2 },
      'find ended with 2',
    ],
    ['an end by a signal', { code: null }, 'find ended with a signal'],
    [
      'the options, with busybox',
      { complaints: 'find: unrecognized: -printf\n', code: 1 },
      'the find of this host is not that of GNU findutils: install findutils',
    ],
    [
      'the options, with toybox',
      { complaints: "find: bad arg '-ignore_readdir_race'\n", code: 1 },
      'the find of this host is not that of GNU findutils: install findutils',
    ],
    ['colours', { complaints: '\u001b[1mfind: broken\u001b[0m\n', code: 1 }, 'find: broken'],
  ])('%s', async (_what, of, problem) => {
    const { isWhole, ...found } = await walk({ ...of, out: `${DIRECTORY}1 f 10\u0000` });
    expect({ isWhole, ...found }).toEqual({
      ...{ bytes: 10, isWhole: problem === undefined },
      ...(problem === undefined ? {} : { problem }),
    });
  });

  test('is read from its beginning, however much it is', async () => {
    const { problem } = await walk({ complaints: `${denied}${'x'.repeat(9000)}`, code: 1 });
    expect(problem).toBe(denied.trim());
  });
});

describe('a walk that cannot be made', () => {
  test('because find cannot be started', async () => {
    started.error = new Error('there is no room');
    expect(await begin()).toEqual({ bytes: 0, isWhole: false, problem: 'there is no room' });
  });

  test('because it is not there', async () => {
    const result = begin();
    find.emit('error', new Error('spawn find ENOENT'));
    expect(await result).toMatchObject({ problem: 'find cannot be run: spawn find ENOENT' });
  });

  test('because the agent stops, before it or meanwhile', async () => {
    const result = begin();
    closing.abort();
    expect(await result).toMatchObject({ isWhole: false, problem: 'the agent stops' });
    expect(find.signal.aborted).toBe(true);
    const before = find;
    expect(await begin()).toMatchObject({ problem: 'the agent stops' });
    expect(find).toBe(before);
  });

  test('because there are more than a million entries: find is ended', async () => {
    const result = begin();
    const chunk = '1 f 1\0'.repeat(250_000);
    for (let piece = 0; piece < 4; piece += 1) find.stdout.write(chunk);
    await eventually(() => expect(find.stdout.readableLength).toBe(0));
    expect(find.signal.aborted).toBe(false);
    find.stdout.write('1 f 1\0');
    await eventually(() => expect(find.signal.aborted).toBe(true));
    await find.end(null);
    expect(await result).toEqual({
      ...{ bytes: 1_000_001, isWhole: false },
      problem: 'there are more than 1000000 files',
    });
  });
});

describe('a file system that does not answer', () => {
  test('is a problem after the time that was given, and the walk ends when the kernel lets go of find', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const stuck: string[] = [];
      const result = begin({ silentMsMax: 2_000, stuck: (problem) => stuck.push(problem) });
      const problem = 'the file system has not answered for 2 s (a dead network mount?)';
      vi.advanceTimersByTime(1_999);
      find.stdout.emit('data', '0 d 1\0');
      vi.advanceTimersByTime(1_999);
      find.stderr.emit('data', 'find: x: Permission denied\n');
      vi.advanceTimersByTime(1_999);
      expect(stuck).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(stuck).toEqual([problem]);
      expect(find.signal.aborted).toBe(true);
      find.emit('close', null);
      expect(await result).toMatchObject({ isWhole: false, problem });
    } finally {
      vi.useRealTimers();
    }
  });

  test('has a minute by itself, and none is left after the end', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const result = begin();
      vi.advanceTimersByTime(59_999);
      expect(find.signal.aborted).toBe(false);
      find.emit('close', 0);
      expect(await result).toEqual(whole(0));
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
