/** P9: nothing runs that the host did not allow. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../../support/until.ts';
import { HUB, openSite } from './promise-site.ts';

test('P9 a shell command of the pipeline is refused with its reason, and never run', async () => {
  const site = await openSite(`${HUB}
dataPipeline: { workerGroups: [wg], activities: [] }
`);
  await site.start();
  site.simulator.submitShellActivity({
    name: 'Evil',
    workerGroup: 'wg',
    command: `touch ${site.directory}/evil`,
    fields: { maximumRetries: '0' },
  });
  await until('the task is failed', () => site.operations().includes('SetTaskStatus'));
  await until('it is accepted', () => site.simulator.audit().dataPipeline.ended['FAILED'] === 1);
  expect(existsSync(join(site.directory, 'evil'))).toBe(false);
});
