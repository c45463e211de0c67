/** The box itself: whoever tests in it relies on these. */
import { expect, test } from 'vitest';
import { SystemdBox, whyNoBox } from '../support/systemd-box.ts';

const skipped = whyNoBox === '' ? '' : ` (skipped: ${whyNoBox})`;

test.skipIf(whyNoBox !== '')(
  `a box has a systemd of its own${skipped}`,
  async () => {
    const box = await SystemdBox.start({ [import.meta.dirname]: '/mine' });
    try {
      expect(await box.output('systemctl', 'is-system-running')).toMatch(/^(running|degraded)$/);
      expect(await box.output('cat', '/mine/box.test.ts')).toContain('relies on these');
      expect(await box.output('stat', '-f', '-c', '%T', '/sys/fs/cgroup')).toBe('cgroup2fs');
      const { code, stdout } = await box.run(
        'systemd-run',
        '--wait',
        '--pipe',
        'sh',
        '-c',
        'echo in; exit 7',
      );
      expect({ code, stdout }).toEqual({ code: 7, stdout: 'in\n' });
    } finally {
      await box.stop();
    }
  },
  60_000,
);
