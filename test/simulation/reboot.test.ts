/** The host goes down and comes back with a wrong clock: work that others run goes on, and is not stale for it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/lib/time.ts';
import { AgentChecker } from '../support/agent-checker.ts';
import { AgentWorld } from '../support/agent-world.ts';
import { definition, settings } from '../support/settings.ts';
import { FAST_DIRECTORY } from '../support/fast-directory.ts';

test.each([HOUR_MS, -HOUR_MS])(
  'P1 a host that comes back with its clock stepped by %i ms renews every promise soon',
  async (stepMs) => {
    const directory = mkdtempSync(join(FAST_DIRECTORY, 'reboot-'));
    const world = new AgentWorld(1, directory, {
      failing: 0,
      settings: settings(),
      jobs: { durationMs: () => HOUR_MS, exitCode: () => 0, progressEveryMs: MINUTE_MS },
    });
    onTestFinished(() => {
      world.close();
      rmSync(directory, { recursive: true });
    });
    const checker = new AgentChecker(world);
    world.begin();
    const tracked = definition('copy', { command: [], tracked: { by: 'report' } });
    world.ask({ type: 'track', definitions: [tracked] }, () => undefined);
    await world.runUntil(10 * MINUTE_MS);
    world.reboot(20 * SECOND_MS);
    world.time.in(15 * SECOND_MS, () => world.time.stepWall(stepMs));
    await world.runUntil(2 * HOUR_MS);
    expect(world.lives).toBe(2);
    expect(world.service.lastNotify('copy')?.status).toBe('IN_PROGRESS');
    expect(world.service.close().staleMs).toBe(0);
    expect(checker.findings).toEqual([]);
  },
);
