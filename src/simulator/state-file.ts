/**
 * The state of the services on disk, so that a restarted simulator continues where it stopped. It is one file, written as
 * a whole and put in place by a rename. A mark and a checksum identify it. The content is V8's own serialisation, which
 * keeps maps, cycles and Infinity; `/_simulator/state` is the readable form.
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

/** The number changes whenever the content does. */
const MARK = Buffer.from('migration-agent simulator state 2\n');
const CHECKSUM_BYTES = 32;

/** Undefined if the file does not exist. */
export function readState(file: string): unknown {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new StateFileError(`cannot read the state file ${file}: ${messageOf(error)}`);
  }
  const checksum = content.subarray(MARK.length, MARK.length + CHECKSUM_BYTES);
  const body = content.subarray(MARK.length + CHECKSUM_BYTES);
  if (!content.subarray(0, MARK.length).equals(MARK) || !checksum.equals(checksumOf(body))) {
    throw new StateFileError(
      `${file} is not a state file of this version of the simulator: use another file, or remove it`,
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
    throw new StateFileError(`cannot write the state file ${file}: ${messageOf(error)}`);
  }
}

interface StateSaver {
  /** The state may have changed: writes it a little later. */
  touch(): void;
  /** Writes a pending change now. */
  flush(): void;
}

/** Changes within `delayMs` of simulated time are one write. `onError` gets the error of a write that fails. */
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
