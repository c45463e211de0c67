/**
 * Jobs that have a user of their own attack the agent: they try to reach its files, to run code with its rights, to keep
 * its capabilities, and to signal its processes. Needs root, since only root can give a job another user.
 */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Event } from '../../src/core/model/event.ts';
import type { Run } from '../../src/core/model/job.ts';
import { makeRun, sh, until, withHosts } from '../jobs/support.ts';

const isRoot = process.getuid?.() === 0;
const skipped = isRoot ? '' : ' (skipped: needs root)';
/** ATTACKED_TREE: another checkout, to see an attack succeed against its code. */
const TREE = process.env['ATTACKED_TREE'] ?? join(import.meta.dirname, '../..');
const JOB_HOST = join(TREE, 'src/jobs/job-host.ts');

/** A directory in which everybody may write, for what an attack leaves. */
async function withLoot(use: (loot: string) => Promise<void>): Promise<void> {
  const loot = await mkdtemp(join(tmpdir(), 'migration-agent-loot-'));
  await chmod(loot, 0o777);
  try {
    await use(loot);
  } finally {
    await rm(loot, { recursive: true });
  }
}

/** Starts a run in an agent of its own, which a wrapper gives its user, capabilities or descriptors. */
async function runInAgent(
  wrapper: readonly string[],
  stateDirectory: string,
  run: Run,
): Promise<Event[]> {
  const script = join(import.meta.dirname, 'agent-process.ts');
  const [program = '', ...args] = [
    ...wrapper,
    ...[process.execPath, script, JOB_HOST, stateDirectory, JSON.stringify(run)],
  ];
  const { stdout } = await promisify(execFile)(program, args);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
}

/** All ways from a process of the job to a directory of the agent. */
const EVERY_WAY = `for at in /proc/$PPID/cwd /proc/self/cwd /proc/$(cut -d ' ' -f 4 /proc/$PPID/stat)/cwd "$RUN_DIRECTORY"`;

describe.skipIf(!isRoot)(`P10 a job with a user of its own${skipped}`, () => {
  test('cannot plant links where the agent rotates logs', () =>
    withLoot((loot) =>
      withHosts(async (newHost) => {
        const host = newHost();
        const victim = join(loot, 'victim');
        const attack = `${EVERY_WAY}; do
            cd "$at" 2>/dev/null && ln -s ${victim} stdout.log.000000000000000.part
          done; seq -f 'line %.0f' 60000; sleep 1.5`;
        const run = makeRun(sh(attack), {
          user: 'nobody',
          log: { sizeBytes: 200_000, files: 2 },
        });
        const environment = { RUN_DIRECTORY: host.path(run, '') };
        host.host.start({ ...run, definition: { ...run.definition, environment } });
        await host.event('run-exited');
        expect(existsSync(victim)).toBe(false);
        const names = readdirSync(host.path(run, ''));
        expect(names.filter((name) => /^stdout\.log\.\d+$/.test(name))).toHaveLength(1);
      }),
    ));

  test('cannot enter any directory of its run, nor read what lies there', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const attack = `${EVERY_WAY}; do
          for name in "$at" "$at/.shim"; do
            if (cd "$name/.." && cd "$name" && ls && : >planted) 2>/dev/null; then echo "reached $name"; fi
          done
        done
        cat "$RUN_DIRECTORY/stderr.log" /proc/$PPID/environ && echo "read"; exit 4`;
      // In a place that everybody can walk to, the directories themselves must keep others out.
      const run = makeRun(sh(attack), { user: 'nobody', workingDirectory: '/tmp' });
      chmodSync(host.directory, 0o755);
      const environment = { RUN_DIRECTORY: host.path(run, '') };
      host.host.start({ ...run, definition: { ...run.definition, environment } });
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 4 });
      expect(
        (await host.read(run, 'stdout.log')).match(/^(reached|read).*(stdout|shim|RUN).*$/gm) ?? [],
      ).toEqual([]);
      expect(readdirSync(host.path(run, ''))).not.toContain('planted');
      expect(readdirSync(host.path(run, '.shim'))).not.toContain('planted');
    }));

  test('learns no size of what it cannot read, by a link in what the size parser measures', () =>
    withLoot((loot) =>
      withHosts(async (newHost, directory) => {
        const closed = join(directory, 'closed');
        mkdirSync(closed, { mode: 0o700 });
        writeFileSync(join(closed, 'secret'), Buffer.alloc(123_456));
        const host = newHost();
        const target = join(loot, 'target');
        const run = makeRun(sh(`ln -s ${closed} ${target}; exec sleep 600`), {
          user: 'nobody',
          progress: { parser: 'size', target, totalBytes: 200_000 },
        });
        host.host.start(run);
        await until(
          () => host.events.some(({ type }) => type === 'watch-problem'),
          () => `a problem: ${JSON.stringify(host.events)}`,
        );
        expect((await host.event('watch-problem')).reason).toMatch(/cannot be measured: .*denied/);
        expect(host.all('progress-read').map(({ detail }) => detail)).not.toContain(
          '123 kB of 200 kB',
        );
      }),
    ));

  test('cannot end its shim, nor forge how it ended', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const attack = `kill -9 $PPID && echo killed
        ${EVERY_WAY}; do echo 0 >"$at/exit.1"; echo 0 >"$at/.shim/exit.1"; done 2>/dev/null; exit 5`;
      const run = makeRun(sh(attack), { user: 'nobody' });
      const environment = { RUN_DIRECTORY: host.path(run, '') };
      host.host.start({ ...run, definition: { ...run.definition, environment } });
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 5 });
      expect(await host.read(run, 'stdout.log')).toBe('');
    }));

  test('gets no code of its own run as root: LD_DEBUG_OUTPUT makes the loader write files', () =>
    withLoot((loot) =>
      withHosts(async (newHost) => {
        const host = newHost();
        const environment = {
          LD_DEBUG: 'files',
          LD_DEBUG_OUTPUT: join(loot, 'loaded'),
          GCONV_PATH: loot,
          PERL5OPT: '-Mattack',
          PERL5LIB: loot,
          BASH_ENV: join(loot, 'attack.sh'),
          ENV: join(loot, 'attack.sh'),
        };
        writeFileSync(join(loot, 'attack.pm'), `open(F, '>', '${loot}/by-perl'); 1;`);
        writeFileSync(join(loot, 'attack.sh'), `: >${loot}/by-sh`);
        const run = makeRun(['/usr/bin/env'], { user: 'nobody', environment });
        host.host.start(run);
        expect(await host.event('run-exited')).toMatchObject({ exitCode: 0 });
        const written = readdirSync(loot).filter((name) => !name.startsWith('attack'));
        expect(written.filter((name) => name.startsWith('loaded'))).not.toEqual([]);
        expect(written.filter((name) => statSync(join(loot, name)).uid === 0)).toEqual([]);
        // All of them are the job's, once it is its user.
        const shown = (await host.read(run, 'stdout.log')).split('\n');
        expect(shown).toEqual(
          expect.arrayContaining(
            Object.entries(environment).map(([name, value]) => `${name}=${value}`),
          ),
        );
        expect(shown.filter((line) => line.startsWith('MIGRATION_ENV_'))).toEqual([]);
      }),
    ));

  test('shows its variables to no other user, neither in its arguments nor in those of its shim', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('cat /proc/$PPID/cmdline /proc/self/cmdline; sleep 0.3'), {
        user: 'nobody',
        environment: { PASSWORD: 'hunter3' },
      });
      host.host.start(run);
      await host.event('run-exited');
      const shown = await host.read(run, 'stdout.log');
      expect(shown).toContain('migration-agent');
      expect(shown).not.toContain('hunter3');
    }));

  test('inherits no descriptor of the agent, whatever its number', () =>
    withLoot(async (loot) => {
      const secret = join(loot, 'secret');
      writeFileSync(secret, 'of the agent', { mode: 0o600 });
      const state = join(loot, 'state');
      mkdirSync(state, { mode: 0o700 });
      const list =
        'for file in /proc/self/fd/*; do readlink "$file"; done; cat <&20; cat <&7; exit 0';
      const inherit = [
        'bash',
        '-c',
        `exec 7<${secret} 20<${secret} 63<${secret}; exec "$@"`,
        'bash',
      ];
      const run = makeRun(sh(list), { user: 'nobody' });
      await runInAgent(inherit, state, run);
      const directory = join(state, 'runs', 'copy%20files', String(run.number));
      const shown = await readFile(join(directory, 'stdout.log'), 'utf8');
      expect(shown).toContain('stdout.log');
      expect(shown).not.toContain('secret');
      expect(shown).not.toContain('of the agent');
    }));
});

describe.skipIf(!isRoot)(
  `an agent that has CAP_SETUID, CAP_SETGID and CAP_KILL alone${skipped}`,
  () => {
    // The code before these protections starts no job without another one.
    const more = process.env['ATTACKED_TREE'] === undefined ? '' : ',+chown';
    const capabilities = `+setuid,+setgid,+kill${more}`;
    /** The user of the agent: one that has no process on an ordinary host. */
    const agent = ['setpriv', '--reuid=61234', '--regid=61234', '--clear-groups'];
    const asAgent = [
      ...agent,
      `--inh-caps=${capabilities}`,
      `--ambient-caps=${capabilities}`,
      '--',
    ];

    async function withState(use: (state: string, loot: string) => Promise<void>): Promise<void> {
      await withLoot(async (loot) => {
        const state = join(loot, 'state');
        await promisify(execFile)('install', ['-d', '-m', '700', '-o', '61234', state]);
        await use(state, loot);
      });
    }

    const showRights = `grep -E '^(Cap(Inh|Prm|Eff|Amb)|Uid|Groups)' /proc/self/status`;

    test('gives a job none of them', () =>
      withState(async (state, loot) => {
        const run = makeRun(sh(`${showRights} >${loot}/rights; exit 3`), { user: 'nobody' });
        expect(await runInAgent(asAgent, state, run)).toMatchObject([
          { type: 'run-started' },
          { type: 'run-exited', exitCode: 3 },
        ]);
        const rights = await readFile(join(loot, 'rights'), 'utf8');
        expect(rights).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
        expect(rights.match(/^Cap\w+:\t0{16}$/gm)).toHaveLength(4);
      }));

    test("gives the helper of the job's parser none of them: pg_restore -l", () =>
      withState(async (state, loot) => {
        const program = join(loot, 'pg_restore');
        writeFileSync(
          program,
          `#!/bin/sh\nif [ "$1" = -l ]; then ${showRights} >${loot}/rights.tmp; mv ${loot}/rights.tmp ${loot}/rights; fi
        until [ -e ${loot}/rights ]; do sleep 0.05; done\n`,
          { mode: 0o755 },
        );
        const run = makeRun([program, '-d', 'x', '/no/archive'], {
          user: 'nobody',
          progress: { parser: 'pg_restore' },
        });
        await runInAgent(asAgent, state, run);
        await until(
          () => existsSync(join(loot, 'rights')),
          () => 'the list',
        );
        const rights = await readFile(join(loot, 'rights'), 'utf8');
        expect(rights).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
        expect(rights.match(/^Cap\w+:\t0{16}$/gm)).toHaveLength(4);
      }));

    test("refuses a job of its own user, who could write itself any user's job into the state", () =>
      withState(async (state) => {
        const [event] = await runInAgent(asAgent, state, makeRun(sh('echo ran')));
        expect(event).toMatchObject({
          type: 'run-start-failed',
          reason: expect.stringContaining('give the job a user of its own') as string,
        });
      }));

    test('refuses a job of another user if it could not stop it', () =>
      withState(async (state) => {
        const without = asAgent.map((word) => word.replace(',+kill', ''));
        const run = makeRun(sh('echo ran'), { user: 'nobody' });
        const [event] = await runInAgent(without, state, run);
        expect(event).toMatchObject({
          type: 'run-start-failed',
          reason: expect.stringContaining('CAP_KILL') as string,
        });
      }));
  },
);

describe('what the agent writes', () => {
  test('is open to its own user alone', () =>
    withHosts(async (newHost) => {
      const host = newHost();
      const run = makeRun(sh('umask; seq -f "line %.0f" 60000; sleep 1.2; exit 3'), {
        log: { sizeBytes: 200_000, files: 3 },
      });
      const mask = process.umask(0);
      try {
        host.host.start(run);
        await host.event('run-started');
      } finally {
        process.umask(mask);
      }
      await host.event('run-exited');
      const directory = host.path(run, '');
      const names = ['.', ...readdirSync(directory, { recursive: true }).map(String)];
      const modes = names.map((name) => [name, statSync(join(directory, name)).mode & 0o077]);
      expect(modes.filter(([, mode]) => mode !== 0)).toEqual([]);
      expect(names.length).toBeGreaterThan(6);
      // The job has the umask of the agent, not that of the shim.
      expect(await host.read(run, 'stdout.log.000000000000000').catch(() => '0000')).toMatch(
        /^0000/,
      );
    }));
});
