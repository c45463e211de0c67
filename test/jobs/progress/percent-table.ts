/**
 * The percent that the agent reports of real tools against what is really done, ten times in each run:
 * `TABLE=1 npx vitest run test/jobs/progress/real-percent.test.ts` prints the table.
 */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRun } from '../support.ts';
import type { Host } from '../support.ts';
import type { ToolRun } from './tool-runs.ts';

export interface Sample {
  /** What was reported before the truth was measured. */
  readonly reported: number | undefined;
  readonly truth: number;
}

export async function sampled(
  tool: ToolRun,
  newHost: () => Host,
  directory: string,
): Promise<{ readonly samples: Sample[]; readonly exitCode: unknown; readonly host: Host }> {
  const { command, environment = {}, stop, truth } = await tool.prepare(directory);
  const host = newHost();
  try {
    const progress = tool.progress ?? { parser: 'auto' };
    host.host.start(
      makeRun(command, { progress, environment: { LC_ALL: 'C.UTF-8', ...environment } }),
    );
    const samples: Sample[] = [];
    while (!host.types().some((type) => type === 'run-exited' || type === 'run-start-failed')) {
      const reported = host.all('progress-read').at(-1)?.percent;
      samples.push({ reported, truth: truth() });
      await sleep(100);
    }
    return { samples, exitCode: host.all('run-exited')[0]?.exitCode, host };
  } finally {
    await stop?.();
  }
}

/** `reported/true` at about 5 %, 15 % … 95 % done; `–`: no percent was reported then. */
export function tableRow({ fed, name, version }: ToolRun, samples: readonly Sample[]): string {
  const [program = '', ...args] = version;
  const printed = execFileSync(program, args, { encoding: 'utf8' }).split('\n')[0] ?? '';
  const number = /\d+(?:\.\d+)+/.exec(printed)?.[0] ?? printed;
  const points = Array.from({ length: 10 }, (_, index) => {
    const wanted = index * 10 + 5;
    const [nearest] = samples.toSorted(
      (a, b) => Math.abs(a.truth - wanted) - Math.abs(b.truth - wanted),
    );
    return `${nearest?.reported ?? '–'}/${Math.floor(nearest?.truth ?? 0)}`;
  });
  return `| ${name} ${number} | ${fed} | ${points.join(' ')} |`;
}
