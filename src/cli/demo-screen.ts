/**
 * How the demo shows itself: on a terminal the status view, redrawn in place, with what the operator or the service
 * did below it; elsewhere a plain line for each thing that happened.
 */
import type { Status } from '../core/status.ts';
import { span } from './span.ts';
import { renderStatus } from './status-view.ts';
import { wantsColor, widthOf } from './terminal.ts';
import type { Terminal } from './terminal.ts';

export interface DemoScreen {
  /** Something happened that a reader should see. */
  say(words: string): void;
  /** The agent's newest status. */
  show(status: Status): void;
  /** Leaves the last picture standing. */
  end(): void;
}

/** Words kept below the moving picture. */
const WORDS_MAX = 6;
/** A plain line is printed for each quarter of a job. */
const PERCENT_STEP = 25;

export function createDemoScreen(terminal: Terminal, sinceStartMs: () => number): DemoScreen {
  return terminal.stdout.isTTY === true
    ? movingScreen(terminal, sinceStartMs)
    : plainScreen(terminal, sinceStartMs);
}

function movingScreen(terminal: Terminal, sinceStartMs: () => number): DemoScreen {
  const { stdout } = terminal;
  const words: string[] = [];
  let linesDrawn = 0;
  let picture = '';

  function draw(): void {
    const text = [picture, '', ...words.slice(-WORDS_MAX)].join('\n');
    // Up to the first line of the last picture, clear from there, draw anew.
    const up = linesDrawn === 0 ? '' : `\x1b[${linesDrawn}A`;
    stdout.write(`\r${up}\x1b[J${text}\n`);
    linesDrawn = text.split('\n').length;
  }

  return {
    say(text) {
      words.push(stamped(sinceStartMs(), text));
      draw();
    },
    show(status) {
      picture = renderStatus(status, {
        width: widthOf(stdout),
        color: wantsColor(stdout, terminal.environment),
        now: new Date(status.agent.now),
      });
      draw();
    },
    end: draw,
  };
}

function plainScreen(terminal: Terminal, sinceStartMs: () => number): DemoScreen {
  const shown = new Map<string, string>();
  const say = (text: string): void => {
    terminal.stdout.write(`${stamped(sinceStartMs(), text)}\n`);
  };
  return {
    say,
    show(status) {
      for (const job of status.jobs) {
        const quarter = Math.floor((job.percent ?? 0) / PERCENT_STEP) * PERCENT_STEP;
        const isMoving = job.state === 'running' && quarter > 0 && quarter < 100;
        const line = isMoving ? `${job.state} ${quarter} %` : job.state;
        if (shown.get(job.name) === line || job.state === 'idle') continue;
        shown.set(job.name, line);
        const detail = job.state === 'running' ? job.detail : job.reason;
        say(`${job.name.padEnd(9)} ${line}${detail === undefined ? '' : `: ${detail}`}`);
      }
    },
    end: () => undefined,
  };
}

function stamped(ms: number, text: string): string {
  return `${span(ms).padStart(5)}  ${text}`;
}
