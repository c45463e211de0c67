/**
 * How the demo shows itself: on a terminal the status view, redrawn in place, with what was done from outside
 * below it; elsewhere a plain line for each thing that happened.
 */
import { isFinal } from '../../core/model/job.ts';
import type { JobStatus, Status } from '../../core/model/status.ts';
import { plain, truncate } from '../terminal/printable.ts';
import { createRedraw } from '../terminal/redraw.ts';
import { span } from '../terminal/durations.ts';
import { renderStatus } from '../views/status.ts';
import { heightOf, wantsColor, widthOf } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

export interface DemoScreen {
  /** Something happened that a reader should see. */
  print(who: 'agent' | 'operator' | 'pipeline' | 'network', message: string): void;
  /** The agent's newest status. */
  show(status: Status): void;
  /** Keeps the last picture on the screen. */
  end(): void;
}

/** Rows below the picture that are kept for messages, on a terminal of any height. */
const MESSAGES_MIN = 4;
/** A plain line is printed for each quarter of a job. */
const PERCENT_STEP = 25;

export function createDemoScreen(terminal: Terminal, sinceStartMs: () => number): DemoScreen {
  return terminal.stdout.isTTY === true
    ? movingScreen(terminal, sinceStartMs)
    : plainScreen(terminal, sinceStartMs);
}

function movingScreen(terminal: Terminal, sinceStartMs: () => number): DemoScreen {
  const { stdout } = terminal;
  const redraw = createRedraw(stdout);
  const messages: string[] = [];
  let newest: Status | undefined;

  function draw(): void {
    const [width, height] = [widthOf(stdout), heightOf(stdout)];
    // One row is for the cursor, and an empty one separates the two parts.
    const room = height - 2;
    const picture =
      newest === undefined
        ? []
        : renderStatus(newest, {
            width,
            height: room - Math.max(MESSAGES_MIN, messages.length),
            color: wantsColor(stdout, terminal.environment),
            now: new Date(newest.agent.now),
          }).split('\n');
    const shown = messages.slice(-Math.max(1, room - picture.length));
    stdout.write(
      redraw([...picture, '', ...shown.map((line) => truncate(line, width))].join('\n')),
    );
  }

  return {
    print(who, text) {
      messages.push(stamped(sinceStartMs(), who, text));
      draw();
    },
    show(status) {
      newest = status;
      draw();
    },
    end: draw,
  };
}

function plainScreen(terminal: Terminal, sinceStartMs: () => number): DemoScreen {
  const shown = new Map<string, string>();
  let problems: readonly string[] = [];
  const print = (who: string, text: string): void => {
    terminal.stdout.write(`${stamped(sinceStartMs(), who, text)}\n`);
  };
  const printOnce = (job: JobStatus, key: string, line: string, more?: string): void => {
    if (shown.get(key) === line) return;
    shown.set(key, line);
    print(job.name, more === undefined ? line : `${line}: ${plain(more)}`);
  };
  return {
    print: print,
    show({ agent, jobs }) {
      for (const job of jobs) {
        if (job.state === 'idle') continue;
        const quarter = Math.floor((job.percent ?? 0) / PERCENT_STEP) * PERCENT_STEP;
        const isMoving = job.state === 'running' && quarter > 0 && quarter < 100;
        const detail = job.state === 'running' ? job.detail : job.reason;
        printOnce(
          job,
          `${job.name} state`,
          isMoving ? `${job.state} ${quarter}%` : job.state,
          detail,
        );
        const { migrationHub } = job.destinations;
        if (isFinal(job.state) && migrationHub?.delivery === 'delivered') {
          printOnce(job, `${job.name} hub`, 'final report delivered to Migration Hub');
        }
      }
      for (const problem of agent.problems) {
        if (!problems.includes(problem)) print('agent', `degraded: ${plain(problem)}`);
      }
      if (problems.length > 0 && agent.problems.length === 0) print('agent', 'healthy again');
      problems = agent.problems;
    },
    end: () => undefined,
  };
}

function stamped(ms: number, who: string, text: string): string {
  return `${span(ms).padStart(5)}  ${who.padEnd(9)} ${text}`;
}
