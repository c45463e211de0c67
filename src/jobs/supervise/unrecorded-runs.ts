/**
 * Runs that live on this host although the store knows nothing of them: it was lost, damaged or is an old copy. Their
 * directories show them. A run with a record (run-record.ts) is adopted. Of the others the agent knows too little to report
 * them: they are shown, and no run of their jobs starts beside them.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../../core/model/job.ts';
import {
  jobOfDirectory,
  lockedSpawns,
  readExit,
  readStarted,
  recordDirectory,
} from '../files/run-directory.ts';
import type { StartedRecord } from '../files/run-directory.ts';
import { readRunRecord } from '../files/run-record.ts';
import { errorCode, errorText } from '../lib/error-code.ts';
import { runMark } from '../process/environment.ts';
import { CannotSee, lives } from '../process/process-table.ts';
import { identifyShim } from './adoption.ts';

const UNLOOKED = 'the runs of an earlier agent cannot be looked for';
const RECORDS = recordDirectory('');

export interface UnrecordedRunsOptions {
  readonly stateDirectory: string;
  readonly bootId: string;
  /** The processes of a run that are alive. Throws `CannotSee`. */
  readonly members: (run: Run) => Promise<readonly number[]>;
}

interface Found {
  readonly run: Run;
  readonly directory: string;
  readonly started: StartedRecord;
}

export class UnrecordedRuns {
  readonly #options: UnrecordedRunsOptions;
  /** Those that were not adopted, and may live. */
  #left: Found[] = [];
  #unlooked: { readonly isKnown: (id: string) => boolean; readonly reason: string } | undefined;

  constructor(options: UnrecordedRunsOptions) {
    this.#options = options;
  }

  /** Looks for them, and returns those that can be adopted. What cannot be looked for now is looked for before the next start. */
  find(isKnown: (id: string) => boolean): readonly Run[] {
    try {
      const found = this.#look(isKnown);
      const adoptable = found.flatMap((one) => {
        const record = this.#hasShim(one) ? this.#recordOf(one) : undefined;
        return record === undefined ? [] : [{ one, record }];
      });
      this.#left = found.filter((one) => !adoptable.some((other) => other.one === one));
      return adoptable.map(({ record }) => record);
    } catch (error) {
      this.#unlooked = { isKnown, reason: errorText(error) };
      return [];
    }
  }

  /** Living processes of such runs of this job. Throws `CannotSee`. */
  async membersOf(job: string): Promise<readonly number[]> {
    this.#lookAgain();
    const pids: number[] = [];
    for (const found of this.#left.filter(({ run }) => run.job === job)) {
      const members = await this.#options.members(found.run);
      if (members.length === 0) this.#left = this.#left.filter((one) => one !== found);
      pids.push(...members);
    }
    return pids;
  }

  /** One sentence for each that may live. */
  problems(): readonly string[] {
    const texts = this.#left
      .filter((found) => this.#mayLive(found))
      .map(
        ({ run, started: { process } }) =>
          `run ${run.id} (pid ${process.pid}) may live, and the agent has no record of it: it is not reported, and ${run.job} does not start while it lives; wait for its end, or stop it with "kill -TERM -- -${process.pid}"`,
      );
    if (this.#unlooked === undefined) return texts;
    return [`${UNLOOKED}: ${this.#unlooked.reason}`, ...texts];
  }

  /** It is too late to adopt them: they hold their jobs. */
  #lookAgain(): void {
    if (this.#unlooked === undefined) return;
    try {
      this.#left = this.#look(this.#unlooked.isKnown);
      this.#unlooked = undefined;
    } catch (error) {
      throw new CannotSee(`${UNLOOKED}: ${errorText(error)}`, { cause: error });
    }
  }

  #look(isKnown: (id: string) => boolean): Found[] {
    const found: Found[] = [];
    const { stateDirectory } = this.#options;
    const idOf = (directory: string): string => jobOfDirectory(stateDirectory, directory).join('/');
    // There may be many runs, and the store has nearly all of them: their directories are not looked into.
    const isNews = (directory: string): boolean => !isKnown(idOf(directory));
    for (const directory of runDirectories(join(stateDirectory, 'runs'), isNews)) {
      const one = this.#lookInto(directory);
      if (one !== undefined) found.push(one);
    }
    return found;
  }

  #recordOf({ directory, run }: Found): Run | undefined {
    return readRunRecord(directory, run.id, run.spawn);
  }

  /** A run of this boot that began and has no exit record. */
  #lookInto(directory: string): Found | undefined {
    const { stateDirectory, bootId } = this.#options;
    const [job, number] = jobOfDirectory(stateDirectory, directory);
    const spawn = Math.max(0, ...lockedSpawns(directory));
    const started = readStarted(directory, spawn);
    if (started?.process.bootId !== bootId) return undefined;
    if (readExit(directory, spawn) !== undefined) return undefined;
    return { run: bareRun(job, number, spawn), directory, started };
  }

  #hasShim({ run, started }: Found): boolean {
    const { bootId } = this.#options;
    const shim = identifyShim(started, runMark(run, started.socketPath), bootId);
    return shim !== undefined && lives(shim, bootId);
  }

  /** Processes may outlive the shim: they are looked for when a run of the job is to start. */
  #mayLive(found: Found): boolean {
    try {
      return readExit(found.directory, found.run.spawn) === undefined && this.#hasShim(found);
    } catch {
      return true;
    }
  }
}

/** What the look for processes needs. */
function bareRun(job: string, number: number, spawn: number): Run {
  return {
    ...{ id: `${job}/${number}`, job, number, spawn, origin: 'operator', state: 'running' },
    requestedAt: { wallMs: 0, bootMs: 0 },
    definition: {
      ...{ name: job, command: [], environment: {}, autostart: false },
      progress: { parser: 'none' },
      stop: { signal: 'SIGTERM', graceMs: 0 },
    },
  };
}

/** `<job>/<number>`, and a long job name has several pieces: only a run has a record directory. */
function* runDirectories(above: string, isNews: (directory: string) => boolean): Generator<string> {
  for (const name of namesIn(above)) {
    const path = join(above, name);
    const isNumber = /^\d+$/.test(name);
    if (isNumber && !isNews(path)) continue;
    if (namesIn(path).includes(RECORDS)) {
      if (isNumber) yield path;
    } else yield* runDirectories(path, isNews);
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return [];
    throw error;
  }
}
