/**
 * Runs that the store knows nothing of, although something of them is left to do: it was lost, damaged or is an old copy. Their
 * directories show them. A run with a record (run-record.ts) is adopted, whether it lives or has ended meanwhile: nothing is
 * pending of a run that has none. Of the others the agent knows too little to report them: they are shown, and no run of
 * their jobs starts beside them.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { HostIdentity } from '../../core/model/host-identity.ts';
import type { Run, UnrecordedRun } from '../../core/model/job.ts';
import { isSameHost } from '../../core/state/host-identity.ts';
import {
  jobOfDirectory,
  lockedSpawns,
  readExit,
  readStarted,
  recordDirectory,
} from '../files/run-directory.ts';
import type { StartedRecord } from '../files/run-directory.ts';
import { hasRunRecord, readRunRecord } from '../files/run-record.ts';
import type { RunRecord } from '../files/run-record.ts';
import { errorCode, errorText } from '../lib/error-code.ts';
import { runMark } from '../process/environment.ts';
import { CannotSee, lives } from '../process/process-table.ts';
import { identifyShim } from './adoption.ts';

const UNLOOKED = 'the runs of an earlier agent cannot be looked for';
const RECORDS = recordDirectory('');

export interface UnrecordedRunsOptions {
  readonly stateDirectory: string;
  readonly bootId: string;
  /** Runs of the host that the state directory was copied from are not this host's. */
  readonly hostIdentity?: HostIdentity;
  /** The processes of a run that are alive. Throws `CannotSee`. */
  readonly members: (run: Run) => Promise<readonly number[]>;
}

/** A run that began. */
interface Found {
  readonly run: Run;
  readonly directory: string;
  readonly started: StartedRecord;
  readonly exitCode: number | undefined;
}

export class UnrecordedRuns {
  readonly #options: UnrecordedRunsOptions;
  /** Those that were not adopted, and may live. */
  #left: Found[] = [];
  /** Those that ended and were not adopted, although something of them may be pending. */
  #unreported: Found[] = [];
  #unlooked: { readonly isKnown: (id: string) => boolean; readonly reason: string } | undefined;
  /** For each adoptable run, the one of its job before it. */
  readonly #earlier = new Map<string, string>();

  constructor(options: UnrecordedRunsOptions) {
    this.#options = options;
  }

  /**
   * Looks for them, and returns those that can be adopted, those of a job in their order. What cannot be looked for now is looked
   * for before the next start.
   */
  find(isKnown: (id: string) => boolean): readonly UnrecordedRun[] {
    try {
      const adoptable: UnrecordedRun[] = [];
      for (const found of this.#look(isKnown)) {
        const run = recordOf(found)?.run;
        if (run === undefined) this.#leave(found);
        else adoptable.push({ run, isOfThisBoot: this.#isOfThisBoot(found) });
      }
      adoptable.sort(({ run: a }, { run: b }) =>
        a.job === b.job ? a.number - b.number : a.job < b.job ? -1 : 1,
      );
      this.#putInOrder(adoptable);
      return adoptable;
    } catch (error) {
      this.#unlooked = { isKnown, reason: errorText(error) };
      return [];
    }
  }

  /** The adopted run of the same job that ended before this one began: its end comes first. */
  earlierThan(id: string): string | undefined {
    return this.#earlier.get(id);
  }

  /** Living processes of such runs of this job. Throws `CannotSee`. */
  async membersOf(job: string): Promise<readonly number[]> {
    this.#lookAgain();
    const pids: number[] = [];
    for (const found of this.#left.filter(({ run }) => run.job === job)) {
      const members = await this.#options.members(found.run);
      if (members.length === 0) this.#hasEnded(found);
      pids.push(...members);
    }
    return pids;
  }

  /** One sentence for each that may live, or whose end is not reported. */
  problems(): readonly string[] {
    const texts = this.#left
      .filter((found) => this.#mayLive(found))
      .map(
        ({ run, started: { process } }) =>
          `run ${run.id} (pid ${process.pid}) may live, and the agent has no record of it: it is not reported, and ${run.job} does not start while it lives; wait for its end, or stop it with "kill -TERM -- -${process.pid}"`,
      );
    for (const found of this.#left.filter((one) => !this.#mayLive(one) && isUnreported(one))) {
      texts.push(unreportedText(found));
    }
    texts.push(...this.#unreported.map(unreportedText));
    if (this.#unlooked === undefined) return texts;
    return [`${UNLOOKED}: ${this.#unlooked.reason}`, ...texts];
  }

  /** It is too late to adopt them: they hold their jobs, and the next agent reports them. */
  #lookAgain(): void {
    if (this.#unlooked === undefined) return;
    try {
      for (const found of this.#look(this.#unlooked.isKnown)) this.#leave(found);
      this.#unlooked = undefined;
    } catch (error) {
      throw new CannotSee(`${UNLOOKED}: ${errorText(error)}`, { cause: error });
    }
  }

  #leave(found: Found): void {
    if (found.exitCode === undefined && this.#isOfThisBoot(found)) this.#left.push(found);
    else if (isUnreported(found)) this.#unreported.push(found);
  }

  #hasEnded(found: Found): void {
    this.#left = this.#left.filter((one) => one !== found);
    if (isUnreported(found)) this.#unreported.push(found);
  }

  #putInOrder(adoptable: readonly UnrecordedRun[]): void {
    const last = new Map<string, string>();
    for (const { run } of adoptable) {
      const before = last.get(run.job);
      if (before !== undefined) this.#earlier.set(run.id, before);
      last.set(run.job, run.id);
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

  #lookInto(directory: string): Found | undefined {
    const [job, number] = jobOfDirectory(this.#options.stateDirectory, directory);
    const spawn = Math.max(0, ...lockedSpawns(directory));
    const started = readStarted(directory, spawn);
    if (started === undefined) return undefined;
    const run = bareRun(job, number, spawn);
    const host = readRunRecord(directory, run.id, spawn)?.host;
    if (!isSameHost(host ?? {}, this.#options.hostIdentity ?? {})) return undefined;
    return { run, directory, started, exitCode: readExit(directory, spawn) };
  }

  #isOfThisBoot({ started }: Found): boolean {
    return started.process.bootId === this.#options.bootId;
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

function recordOf({ directory, run }: Found): RunRecord | undefined {
  return readRunRecord(directory, run.id, run.spawn);
}

/** A disk that does not answer has no news either. */
function isUnreported({ directory }: Found): boolean {
  try {
    return hasRunRecord(directory);
  } catch {
    return false;
  }
}

function unreportedText(found: Found): string {
  const { run, directory } = found;
  const record = join(directory, 'run.json');
  const end = `run ${run.id} has ended, and its end may not have been reported`;
  return isDamaged(found)
    ? `${end}: its record is damaged; its output is in ${directory}; report it with "migration-agent notify", then remove ${record} and restart the agent`
    : `${end}: restart the agent, which then reports it`;
}

function isDamaged(found: Found): boolean {
  try {
    return recordOf(found) === undefined;
  } catch {
    return false;
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
