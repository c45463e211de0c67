/** The box itself: whoever tests in it relies on these. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SystemdBox, whyNoBox } from '../support/systemd-box.ts';
import { until } from '../support/until.ts';

const skipped = whyNoBox === '' ? '' : ` (skipped: ${whyNoBox})`;

describe.skipIf(whyNoBox !== '')(`a box${skipped}`, () => {
  test('has a systemd of its own', async () => {
    const box = await SystemdBox.start({ [import.meta.dirname]: '/mine' });
    try {
      expect(await box.output('systemctl', 'is-system-running')).toMatch(/^(running|degraded)$/);
      expect(await box.output('cat', '/mine/box.test.ts')).toContain('relies on these');
      expect(await box.output('stat', '-f', '-c', '%T', '/sys/fs/cgroup')).toBe('cgroup2fs');
      const { code, stdout } = await box.run(
        ...['systemd-run', '--wait', '--pipe', 'sh', '-c', 'echo in; exit 7'],
      );
      expect({ code, stdout }).toEqual({ code: 7, stdout: 'in\n' });
    } finally {
      await box.stop();
    }
  }, 60_000);

  test('lives beside others, writes nothing onto the host, and leaves nobody', async () => {
    const [one, other] = await Promise.all([SystemdBox.start(), SystemdBox.start()]);
    try {
      await one.output('systemd-run', '--unit=only-here', 'sleep', '987654321');
      expect(await one.output('systemctl', 'is-active', 'only-here')).toBe('active');
      expect((await other.run('systemctl', 'is-active', 'only-here')).code).not.toBe(0);
      await one.output('touch', '/etc/box-was-here');
      expect(existsSync('/etc/box-was-here')).toBe(false);
      expect(commandLines()).toContain('/usr/bin/sleep 987654321');
    } finally {
      await Promise.all([one.stop(), other.stop()]);
    }
    expect(commandLines()).not.toContain('/usr/bin/sleep 987654321');
  }, 60_000);

  test('ends with its owner: when the pipe closes, as it does for a test that was killed', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'migration-agent-box-'));
    const script = join(import.meta.dirname, '../support/systemd-box.sh');
    const holder = spawn(script, ['hold'], { env: { ...process.env, BOX: directory } });
    await once(holder.stdout, 'data');
    holder.stdin.destroy();
    await until('the box is gone', () => !existsSync(directory));
  }, 60_000);
});

/** Of all processes of this machine, those in boxes too: a box hides only what is outside of it. */
function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()];
      } catch {
        return [];
      }
    });
}
