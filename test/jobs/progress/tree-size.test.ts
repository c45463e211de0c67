/** Sizes are measured by find; a host may have another one than that of GNU. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { measure } from '../../../src/jobs/progress/tree-size.ts';

/** A mount of its own, in which busybox lies in the place of find. */
const WITH_BUSYBOX =
  'mount --bind "$(command -v busybox)" "$(readlink -f "$(command -v find)")" && exec "$@"';
const canMount = isDone(['sh', '-c', WITH_BUSYBOX, 'sh', 'true']);

function isDone(command: readonly string[]): boolean {
  return spawnSync('unshare', ['--mount', ...command], { stdio: 'ignore' }).status === 0;
}

test.skipIf(!canMount)(
  'the find of busybox: the problem says what is missing (skipped: needs root, unshare, busybox)',
  () => {
    const module = join(import.meta.dirname, '../../../src/jobs/progress/tree-size.ts');
    const program = `
      const { measure } = await import(${JSON.stringify(module)});
      const options = { launch: { cwd: '/', env: {} }, closing: new AbortController().signal };
      const keepsAlive = setInterval(() => undefined, 1000);
      console.log(JSON.stringify(await measure('/etc', options)));
      clearInterval(keepsAlive);`;
    const node = [process.execPath, '--input-type=module', '-e', program];
    const command = ['--mount', 'sh', '-c', WITH_BUSYBOX, 'sh', ...node];
    const { stdout, stderr } = spawnSync('unshare', command, { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      bytes: 0,
      isWhole: false,
      problem: expect.stringContaining('install findutils') as string,
    });
  },
);

test('a file whose name looks like that complaint is not taken for it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-find-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'find: unrecognized: -printf'), 'four');
  const closing = new AbortController();
  const options = { launch: { cwd: '/', env: {} }, closing: closing.signal };
  expect(await measure(directory, options)).toEqual({ bytes: 4, isWhole: true });
});
