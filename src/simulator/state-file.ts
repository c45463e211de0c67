/**
 * The state on disk: what the services remember, so that a simulator that is started again is the same AWS. One file, written
 * as a whole and put in place by a rename; a mark and a checksum tell it from any other. Its inside is V8's own
 * serialisation, which keeps maps, cycles and Infinity; `/_simulator/state` shows the same to a person.
 */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { SimulatorClock } from './lib/clock.ts';

/** A state file that cannot be used, or cannot be written. The message names the file and a remedy. */
export class StateFileError extends Error {
  override readonly name = 'StateFileError';
}

/** The number grows with every change of what is kept. */
const MARK = Buffer.from('migration-agent simulator state 1\n');
const CHECKSUM_BYTES = 32;

/** Undefined where there is no file yet. */
export function readState(file: string): unknown {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new StateFileError(`cannot read the state file ${file}: ${wordsOf(error)}`);
  }
  const checksum = content.subarray(MARK.length, MARK.length + CHECKSUM_BYTES);
  const body = content.subarray(MARK.length + CHECKSUM_BYTES);
  if (!content.subarray(0, MARK.length).equals(MARK) || !checksum.equals(checksumOf(body))) {
    throw new StateFileError(
      `${file} is no state file of this simulator, or of another version: name another file, or remove it`,
    );
  }
  return deserialize(body);
}

function writeState(file: string, state: unknown): void {
  const body = serialize(state);
  const fresh = `${file}.new`;
  try {
    const handle = openSync(fresh, 'w');
    try {
      for (const part of [MARK, checksumOf(body), body]) writeWhole(handle, part);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(fresh, file);
    const directory = openSync(dirname(file), 'r');
    fsyncSync(directory);
    closeSync(directory);
  } catch (error) {
    throw new StateFileError(`cannot write the state file ${file}: ${wordsOf(error)}`);
  }
}

interface StateSaver {
  /** Something may have changed: it will be on disk a little later. */
  touch(): void;
  /** Writes now what is not written yet. */
  flush(): void;
}

/** Many changes within `delayMs` of simulated time make one write. What a write fails with goes to `onError`. */
export function createStateSaver(options: {
  readonly file: string;
  readonly clock: SimulatorClock;
  readonly delayMs: number;
  readonly snapshot: () => unknown;
  readonly onError: (error: StateFileError) => void;
}): StateSaver {
  const { file, clock, delayMs, snapshot, onError } = options;
  let stopTimer: (() => void) | undefined;
  const write = (): void => {
    stopTimer = undefined;
    try {
      writeState(file, snapshot());
    } catch (error) {
      if (!(error instanceof StateFileError)) throw error;
      onError(error);
    }
  };
  return {
    touch() {
      stopTimer ??= clock.after(delayMs, write);
    },
    flush() {
      if (stopTimer === undefined) return;
      stopTimer();
      write();
    },
  };
}

function writeWhole(handle: number, part: Buffer): void {
  for (let done = 0; done < part.length;) done += writeSync(handle, part, done);
}

function checksumOf(body: Buffer): Buffer {
  return createHash('sha256').update(body).digest();
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
