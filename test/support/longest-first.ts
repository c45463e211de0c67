/**
 * The test files that take longest begin first, so that none of them is the last one that runs. Vitest orders them by itself
 * once it has seen them; these are for a fresh checkout, in the order of a run on two quiet cores.
 */
import { relative } from 'node:path';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** Ten seconds and more. */
const LONGEST: readonly string[] = [
  'test/end-to-end/tracking.test.ts',
  'test/aws/budget/fleet.test.ts',
  'test/security/blocked-files.test.ts',
  'test/jobs/progress/rough-output.test.ts',
  'test/end-to-end/daemon.test.ts',
  'test/simulation/planner.test.ts',
  'test/kill/kill-agent.test.ts',
  'test/end-to-end/promises/p5-the-final-report-arrives.test.ts',
  'test/aws/failures.test.ts',
  'test/end-to-end/cancel-incomplete.test.ts',
  'test/end-to-end/promises/p1-never-stale.test.ts',
  'test/simulator/command.test.ts',
  'test/tidy/lint.test.ts',
  'test/end-to-end/promises/p3-never-two-runners.test.ts',
  'test/control/page/status-page.test.ts',
  'test/jobs/files/log-rotation.test.ts',
  'test/end-to-end/pipeline.test.ts',
  'test/simulation/hostile-days.test.ts',
  'test/simulation/agent-days.test.ts',
  'test/security/socket-callers.test.ts',
  'test/systemd/unit-jobs.test.ts',
  'test/kill/flood.test.ts',
  'test/jobs/progress/real-tools.test.ts',
  'test/jobs/progress/real-percent.test.ts',
  'test/jobs/progress/reader.test.ts',
  'test/cli/dev/dev.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId }: TestSpecification): number => {
      const index = LONGEST.indexOf(relative(this.ctx.config.root, moduleId));
      return index === -1 ? LONGEST.length : index;
    };
    return sorted.toSorted((a, b) => place(a) - place(b));
  }
}
