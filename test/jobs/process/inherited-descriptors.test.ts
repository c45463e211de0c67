/** What the parent of the agent left open is closed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, closeSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

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
