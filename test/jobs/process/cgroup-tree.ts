/** A cgroup v2 tree for a test: a group below that of the test itself, which is gone afterwards. */
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { findCgroupBase } from '../../../src/jobs/process/cgroups.ts';
import { until } from '../support.ts';

export const cgroupRoot = process.getuid?.() === 0 ? (findCgroupBase() ?? '') : '';

/** Why no groups can be made here, in words; empty: they can. */
export const whyNoCgroups = whyNot();

export async function withCgroupBase<Result>(
  use: (base: string) => Promise<Result>,
): Promise<Result> {
  const base = mkdtempSync(join(cgroupRoot, 'migration-agent-test-'));
  try {
    return await use(base);
  } finally {
    await until(
      () => removed(base),
      () => `${base} to be empty: ${readdirSync(base).join(', ')}`,
    );
  }
}

function removed(base: string): boolean {
  try {
    for (const entry of readdirSync(base, { withFileTypes: true })) {
      if (entry.isDirectory()) rmdirSync(join(base, entry.name));
    }
    rmdirSync(base);
    return true;
  } catch {
    return false;
  }
}

function whyNot(): string {
  if (process.getuid?.() !== 0) return 'needs root';
  if (cgroupRoot === '') return 'no cgroup v2 that can be written';
  try {
    const probe = join(cgroupRoot, `migration-agent-probe-${process.pid}`);
    mkdirSync(probe);
    rmdirSync(probe);
    return '';
  } catch {
    return 'no group can be made';
  }
}
