/**
 * The test files that take longest begin first, so that none of them is the last one that runs. Vitest orders them by itself
 * once it has seen them; these are for a fresh checkout, in the order of a run on two quiet cores.
 */
import { relative } from 'node:path';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** Ten seconds and more. */
const LONGEST: readonly string[] = [
  'test/cli/doctor/hangs.test.ts',
  'test/end-to-end/tracking.test.ts',
  'test/security/blocked-files.test.ts',
  'test/end-to-end/cancel-incomplete.test.ts',
  'test/aws/budget/fleet.test.ts',
  'test/end-to-end/daemon.test.ts',
  'test/simulation/hostile-days.test.ts',
  'test/end-to-end/faults-at-once.test.ts',
  'test/end-to-end/promises/p8-faults-cost-nothing.test.ts',
  'test/tidy/shell-examples.test.ts',
  'test/systemd/unit-jobs.test.ts',
  'test/control/page/status-page.test.ts',
  'test/end-to-end/promises/p1-never-stale.test.ts',
  'test/simulator/real-clients.test.ts',
  'test/end-to-end/promises/p3-never-two-runners.test.ts',
  'test/jobs/progress/real-mysql.test.ts',
  'test/end-to-end/lost-state.test.ts',
  'test/security/socket-callers.test.ts',
  'test/simulation/fault-pairs.test.ts',
  'test/simulation/agent-days.test.ts',
  'test/systemd/tracked-units.test.ts',
  'test/jobs/progress/rough-output.test.ts',
  'test/jobs/progress/real-percent.test.ts',
  'test/jobs/progress/real-pg-restore.test.ts',
  'test/simulation/planner.test.ts',
  'test/control/http/hostile.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId }: TestSpecification): number => {
      const index = LONGEST.indexOf(relative(this.ctx.config.root, moduleId));
      return index === -1 ? LONGEST.length : index;
    };
    // A process that files share ends when the next file needs one of its own: those come first.
    const isShared = ({ project }: TestSpecification): number => Number(!project.config.isolate);
    return sorted.toSorted((a, b) => isShared(a) - isShared(b) || place(a) - place(b));
  }
}
