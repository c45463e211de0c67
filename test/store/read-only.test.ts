/**
 * A state directory on a read-only file system: the agent starts, reads its state, and writes again as soon as it can. The
 * test uses a mount namespace of its own, which needs root.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const mayMount =
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

const PROGRAM = `
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { openStore } from '${join(import.meta.dirname, '../../src/store/store.ts')}';
import { lockState } from '${join(import.meta.dirname, '../../src/store/state-lock.ts')}';

const NOW = { wallMs: 1_000_000, bootMs: 5_000 };
const events = [];
const log = { write: (level, event) => events.push(level + ' ' + event) };
const mount = (mode) => execFileSync('mount', ['-o', 'remount,' + mode, '/mnt']);
const run = (number) => ({
  id: 'copy/' + number, job: 'copy', number, state: 'running', origin: 'operator', requestedAt: NOW, spawn: 1,
  definition: { name: 'copy', command: ['x'], stop: { signal: 'SIGTERM', graceMs: 1 } },
});
const nothing = { runs: [], hubTasks: [], droppedRuns: [], droppedHubTasks: [], events: [] };
const failed = (work) => { try { work(); return false; } catch { return true; } };
if (process.argv[2] === 'fill') {
  mkdirSync('/mnt/state');
  lockState('/mnt/state', log);
  const first = openStore('/mnt/state', 'boot-1', log);
  first.load(NOW);
  first.commit({ ...nothing, runs: [run(1)] });
  // They cannot be taken from a disk that is read only, and an agent that crashes later would find them again.
  first.saveGateLevels(new Map([['PollForTask', 3]]), NOW);
  // Its changes are still in the log of the database.
  process.kill(process.pid, 'SIGKILL');
}
mount('ro');
const unlock = lockState('/mnt/state', log);
const second = openStore('/mnt/state', process.argv[2], log);
const isNew = second.isNew();
const levels = second.takeGateLevels(NOW);
const state = second.load(NOW);
const loaded = [...state.runs.keys()];
state.saveRun(run(2));
const refused = failed(() => second.commit({ ...nothing, runs: [run(2)] }));
const inUse = failed(() => lockState('/mnt/state', log));
mount('rw');
const inUseWritable = failed(() => lockState('/mnt/state', log));
second.commit({ ...nothing, runs: [run(2)] });
second.close();
unlock();
const third = openStore('/mnt/state', process.argv[2], log);
const kept = [...third.load(NOW).runs.keys()];
third.close();
console.log(JSON.stringify({ isNew, levels: levels ?? null, loaded, refused, inUse, inUseWritable, kept, events, files: readdirSync('/mnt/state') }));
`;

test.skipIf(!mayMount).each(['boot-1', 'boot-2'])(
  'a read-only state directory is read, and written again as soon as it can be (%s; needs root)',
  async (boot) => {
    const directory = mkdtempSync(join(tmpdir(), 'migration-agent-read-only-'));
    const program = join(directory, 'program.ts');
    writeFileSync(program, PROGRAM);
    try {
      const script = 'mount -t tmpfs none /mnt && { $1 $2 fill; exec $1 $2 $3; }';
      const { stdout } = await promisify(execFile)('unshare', [
        ...['--mount', 'sh', '-c', script, 'sh', process.execPath, program, boot],
      ]);
      expect(JSON.parse(stdout)).toEqual({
        isNew: false,
        levels: null,
        loaded: ['copy/1'],
        refused: true,
        inUse: true,
        inUseWritable: true,
        kept: ['copy/1', 'copy/2'],
        events: ['warn store.lock_unwritable', 'error store.read_only'],
        files: ['agent.lock', 'state.db'],
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);

/** What is done to the file, and what of it is used. */
const DAMAGES = {
  'an empty file': { damage: 'truncateSync(file, 0)', loaded: 0, lost: true },
  'no database': { damage: "writeFileSync(file, 'x'.repeat(8192))", loaded: 0, lost: true },
  'zeros after the header': {
    damage:
      'const handle = openSync(file, "r+"); writeSync(handle, Buffer.alloc(statSync(file).size - 4096), 0, undefined, 4096); closeSync(handle)',
    loaded: 0,
    lost: true,
  },
  'a damaged page of runs': {
    damage: `
      const pages = readFileSync(file);
      const at = Math.floor(pages.lastIndexOf('"id":"copy/') / 4096) * 4096;
      pages.fill(0xff, at, at + 4096);
      writeFileSync(file, pages)`,
    loaded: 1,
    lost: false,
  },
};

/** No room for another file, and none to make this one anew. */
const FULL = `
const filler = openSync('/mnt/filler', 'w');
for (const size of [65536, 4096, 1]) { try { for (;;) writeSync(filler, Buffer.alloc(size)); } catch { } }
closeSync(filler)`;

const DAMAGED_PROGRAM = `
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { openStore } from '${join(import.meta.dirname, '../../src/store/store.ts')}';

const NOW = { wallMs: 1_000_000, bootMs: 5_000 };
const events = [];
const log = { write: (level, event) => events.push(level + ' ' + event) };
const mount = (mode) => execFileSync('mount', ['-o', 'remount,' + mode, '/mnt']);
const file = '/mnt/state/state.db';
const run = (number) => ({
  id: 'copy/' + number, job: 'copy', number, state: 'running', origin: 'operator', requestedAt: NOW, spawn: 1, reason: 'x'.repeat(500),
  definition: { name: 'copy', command: ['x'], stop: { signal: 'SIGTERM', graceMs: 1 } },
});
const nothing = { runs: [], hubTasks: [], droppedRuns: [], droppedHubTasks: [], events: [] };
mkdirSync('/mnt/state');
const first = openStore('/mnt/state', 'boot-1', log);
first.load(NOW);
first.commit({ ...nothing, runs: Array.from({ length: 40 }, (_, i) => run(i + 1)) });
first.close();
DAMAGE;
REFUSE;
const second = openStore('/mnt/state', 'boot-1', log);
const state = second.load(NOW);
const loaded = state.runs.size;
const timeline = second.timeline('copy', 10);
const problems = second.problems();
const added = run(99);
state.saveRun(added);
let refusal = '';
try { second.commit({ ...nothing, runs: [added] }); } catch (error) { refusal = error.message; }
ACCEPT;
second.commit({ ...nothing, runs: [added] });
const later = second.problems();
second.close();
const third = openStore('/mnt/state', 'boot-1', log);
const kept = third.load(NOW).runs.size;
third.close();
console.log(JSON.stringify({ loaded, timeline, problems, refusal, later, kept, events, files: readdirSync('/mnt/state') }));
`;

/** Why the file cannot be made anew, for a time. */
const REFUSALS = {
  'read-only': { refuse: "mount('ro')", accept: "mount('rw')", why: 'EROFS' },
  full: { refuse: FULL, accept: "rmSync('/mnt/filler')", why: 'full' },
};

const CASES = Object.entries(REFUSALS).flatMap(([disk, refusal]) =>
  Object.entries(DAMAGES).map(([file, damage]) => [disk, file, { ...refusal, ...damage }] as const),
);

test.skipIf(!mayMount).each(CASES)(
  'a damaged store on a %s disk: what can be read is used, the rest is shown, and it is made anew once it can be (%s; needs root)',
  async (_disk, _file, { accept, damage, loaded, lost, refuse, why }) => {
    const directory = mkdtempSync(join(tmpdir(), 'migration-agent-read-only-'));
    const program = join(directory, 'program.ts');
    const parts = { 'DAMAGE;': damage, 'REFUSE;': refuse, 'ACCEPT;': accept };
    writeFileSync(
      program,
      DAMAGED_PROGRAM.replace(
        /(DAMAGE|REFUSE|ACCEPT);/g,
        (part) => parts[part as keyof typeof parts],
      ),
    );
    try {
      const { stdout } = await promisify(execFile)('unshare', [
        ...['--mount', 'sh', '-c', 'mount -t tmpfs -o size=1m none /mnt && exec $1 $2', 'sh'],
        ...[process.execPath, program],
      ]);
      const found = JSON.parse(stdout) as Record<string, unknown> & { loaded: number };
      expect(found).toMatchObject({
        timeline: [],
        problems: [expect.stringContaining('it is kept as /mnt/state/state.db:')],
        refusal: expect.stringContaining(why) as string,
        later: [expect.stringContaining('it is kept as /mnt/state/state.db.damaged-1')],
        kept: found.loaded + 1,
        files: expect.arrayContaining(['state.db', 'state.db.damaged-1']) as string[],
      });
      // A full disk shows when the damaged file is made anew, which may be later.
      const events = (found['events'] as string[]).filter((one) => one !== 'error store.read_only');
      expect(events).toEqual(['error store.damaged', 'error store.damaged']);
      expect(found.loaded).toBeGreaterThanOrEqual(loaded);
      expect(found.loaded).toBeLessThan(40);
      if (lost) expect(found.loaded).toBe(0);
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);
