/** What the parent of the agent left open is closed. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createAuthority, opensslMissing } from '../../support/certificates.ts';
import { until } from '../../support/until.ts';

const MODULE = new URL('../../../src/jobs/process/inherited-descriptors.ts', import.meta.url).href;
const CLOSE = `const { closeInheritedDescriptors } = await import('${MODULE}'); closeInheritedDescriptors();`;

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'descriptors-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

test('a descriptor of the parent is closed', async () => {
  const file = openSync(join(temporary(), 'secret'), 'w+');
  onTestFinished(() => closeSync(file));
  const stdio = ['ignore', 'pipe', 'inherit', ...Array<'ignore'>(20).fill('ignore'), file] as const;
  const report = (when: string): string =>
    `console.log('${when}', require('fs').existsSync('/proc/self/fd/23'));`;
  const text = `const require = process.getBuiltinModule('module').createRequire('/'); ${report('before')} ${CLOSE} ${report('after')}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: [...stdio] });
  let output = '';
  child.stdout?.on('data', (piece: Buffer) => (output += piece.toString()));
  await once(child, 'close');
  expect(output).toBe('before true\nafter false\n');
});

/**
 * Node reads NODE_EXTRA_CA_CERTS in a thread, without close-on-exec. Here it is a pipe, so that the thread is in the middle
 * of it for as long as the test wants.
 */
test.skipIf(opensslMissing !== undefined)(
  `a file that Node itself has open is not closed under it, nor another one in its place${opensslMissing === undefined ? '' : ` (skipped: ${opensslMissing})`}`,
  async () => {
    const directory = temporary();
    const authority = createAuthority();
    onTestFinished(() => authority.remove());
    const pipe = join(directory, 'authorities');
    execFileSync('mkfifo', [pipe]);
    const file = openSync(join(directory, 'inherited'), 'w+');
    onTestFinished(() => closeSync(file));
    const text = `
      const fs = await import('node:fs');
      const tls = await import('node:tls');
      const isPipe = (name) => { try { return fs.readlinkSync('/proc/self/fd/' + name) === '${pipe}'; } catch { return false; } };
      let taken;
      while (taken === undefined) taken = fs.readdirSync('/proc/self/fd').find(isPipe);
      fs.writeFileSync('${directory}/begun', '');
      ${CLOSE}
      // Whatever is opened now gets the lowest number that is free.
      const files = Array.from({ length: 8 }, () => fs.openSync('${join(directory, 'inherited')}'));
      const authorities = tls.getCACertificates('extra').length;
      const kept = files.map((one) => { try { fs.fstatSync(one); return 'open'; } catch (error) { return error.code; } });
      console.log(authorities, [...new Set(kept)].join());`;
    const child = spawn(process.execPath, ['--use-system-ca', '--input-type=module', '-e', text], {
      stdio: ['ignore', 'pipe', 'inherit', ...Array<'ignore'>(20).fill('ignore'), file],
      env: { ...process.env, NODE_EXTRA_CA_CERTS: pipe },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    child.stdout?.on('data', (piece: Buffer) => (output += piece.toString()));
    const ended = once(child, 'close');
    // Resolves when the thread has opened the other end.
    const writer = await open(pipe, 'w');
    await until('it is about to close what it inherited', () =>
      existsSync(join(directory, 'begun')),
    );
    const isRead = (): boolean =>
      readdirSync(`/proc/${child.pid ?? 0}/fd`).some((name) => linkOf(child.pid, name) === pipe);
    const isAsleep = (): boolean =>
      readFileSync(`/proc/${child.pid ?? 0}/task/${child.pid ?? 0}/stat`, 'utf8').includes(') S ');
    let asleep = 0;
    // It waits for the thread; or it has closed the thread's file, and waits for the thread in `getCACertificates`.
    await until('it waits', () => {
      asleep = isAsleep() ? asleep + 1 : 0;
      return asleep > 10 || !isRead();
    });
    await until('it waits', () => isAsleep());
    writeFileSync(writer.fd, authority.cert);
    await writer.close();
    await ended;
    expect(output).toBe('1 open\n');
  },
);

function linkOf(pid: number | undefined, name: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid ?? 0}/fd/${name}`);
  } catch {
    return undefined;
  }
}
