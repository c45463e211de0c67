/**
 * The bytes below a path, as the job's user sees them. A process of its own counts (find, of GNU findutils): a file system
 * that does not answer keeps that process, and neither a thread of the agent nor another job. It is killed if it is
 * silent for too long. Names in directories of the job may be exchanged for links at any time; with the rights of the job
 * that shows nothing that the job could not see.
 */
import { startHelper, PLAIN_ENVIRONMENT } from '../process/helper.ts';
import type { Helper } from '../process/helper.ts';
import type { Launch } from '../process/launch-spec.ts';
import { plainLine } from '../lib/plain-text.ts';

/** More entries than this are not measured: a walk must end long before the job does. */
const ENTRIES_MAX = 1_000_000;

/** find writes after some hundred entries. A disk that is busy needs seconds for them, a dead server for ever. */
const SILENT_MS_MAX = 60_000;

/** Of what find complains about, the beginning is enough. */
const COMPLAINTS_CHARACTERS_MAX = 4096;

/** The find of busybox or toybox does not know the options, and cannot print sizes. */
const IS_NOT_GNU = /^find: (?:unrecognized:|bad arg)/;
const NOT_GNU = 'the find of this host is not that of GNU findutils: install findutils';

/** A target that is not there yet has no bytes, and a temporary file, such as those of rsync, may be gone by now. */
const GONE = ': No such file or directory';

export interface Measure {
  readonly bytes: number;
  /** False: something could not be read, or there were too many entries. */
  readonly isWhole: boolean;
  /** Why it is not whole. */
  readonly problem?: string;
}

/** Size of a file, as the counted bytes of one entry; `name` is its path. */
export type EntryBytes = (size: number, name: string) => number;

export interface TreeSizeOptions {
  /** Whose rights count. */
  readonly launch: Launch;
  readonly closing: AbortSignal;
  /** Asked for directories, too, with size 0, but not for the measured one. Absent: the size itself. */
  readonly entryBytes?: EntryBytes;
  readonly silentMsMax?: number;
  /** Called when the file system has not answered for so long. The walk ends when the kernel lets go of its process. */
  readonly stuck?: (problem: string) => void;
}

/** Never rejects: the measure says if it is not whole. `path` is absolute. */
export async function measure(path: string, options: TreeSizeOptions): Promise<Measure> {
  const walk = new Walk(path, options);
  return walk.result();
}

class Walk {
  readonly #path: string;
  readonly #options: TreeSizeOptions;
  readonly #end = new AbortController();
  #bytes = 0;
  #entries = 0;
  #rest = '';
  #complaints = '';
  #problem: string | undefined;

  constructor(path: string, options: TreeSizeOptions) {
    this.#path = path;
    this.#options = options;
  }

  async result(): Promise<Measure> {
    const { launch, closing, entryBytes } = this.#options;
    if (closing.aborted) return this.#measure('the agent stops');
    // %d: how deep, %y: what it is, %s: bytes.
    const format = `%d %y %s${entryBytes === undefined ? '' : ' %p'}\\0`;
    const command = ['find', '-H', this.#path, '-ignore_readdir_race', '-printf', format];
    const place = { ...launch, cwd: '/', env: PLAIN_ENVIRONMENT };
    let helper: Helper;
    try {
      helper = startHelper(place, command, AbortSignal.any([closing, this.#end.signal]));
    } catch (error) {
      return this.#measure(error instanceof Error ? error.message : String(error));
    }
    const closed = new Promise<string | undefined>((resolve) => {
      // An abort is an error, too: what was killed for silence is waited for all the same.
      helper.on('error', (error) => {
        if (error.name !== 'AbortError') resolve(`find cannot be run: ${error.message}`);
      });
      closing.addEventListener('abort', () => resolve('the agent stops'), { once: true });
      helper.once('close', (code) => resolve(this.#problemOf(code)));
    });
    this.#listen(helper);
    return this.#measure(await closed);
  }

  #listen(helper: Helper): void {
    const { silentMsMax = SILENT_MS_MAX } = this.#options;
    const silence = setTimeout(() => this.#silent(silentMsMax), silentMsMax).unref();
    helper.once('close', () => clearTimeout(silence));
    // One character a byte: a name is as long as its bytes.
    helper.stdout.setEncoding('latin1').on('data', (text: string) => {
      silence.refresh();
      this.#take(text);
    });
    helper.stderr.setEncoding('utf8').on('data', (text: string) => {
      silence.refresh();
      this.#complaints = (this.#complaints + text).slice(0, COMPLAINTS_CHARACTERS_MAX);
    });
  }

  #take(text: string): void {
    const records = `${this.#rest}${text}`.split('\0');
    this.#rest = records.pop() ?? '';
    const { entryBytes = (size: number) => size } = this.#options;
    for (const record of records) {
      const kind = record.indexOf(' ');
      const isDirectory = record.startsWith('d', kind + 1);
      const isRoot = record.startsWith('0 ');
      const nameAt = record.indexOf(' ', kind + 3);
      const size = record.slice(kind + 3, nameAt === -1 ? undefined : nameAt);
      const isFile = record.startsWith('f', kind + 1) || isRoot;
      if (isRoot && isDirectory) continue;
      this.#entries += 1;
      this.#bytes += entryBytes(
        isFile && !isDirectory ? Number(size) : 0,
        nameAt === -1 ? '' : record.slice(nameAt + 1),
      );
    }
    if (this.#entries > ENTRIES_MAX) {
      this.#problem ??= `there are more than ${ENTRIES_MAX} files`;
      this.#end.abort();
    }
  }

  #silent(ms: number): void {
    const seconds = Math.round(ms / 1000);
    this.#problem ??= `the file system has not answered for ${seconds} s (a dead network mount?)`;
    this.#options.stuck?.(this.#problem);
    this.#end.abort();
  }

  #problemOf(code: number | null): string | undefined {
    if (this.#problem !== undefined) return this.#problem;
    const complaint = this.#complaints
      .split('\n')
      .find((line) => line !== '' && !line.endsWith(GONE));
    if (IS_NOT_GNU.test(this.#complaints)) return NOT_GNU;
    if (complaint !== undefined) return plainLine(complaint);
    const isGone = code === 1 && this.#complaints !== '';
    return code === 0 || isGone ? undefined : `find ended with ${code ?? 'a signal'}`;
  }

  #measure(problem: string | undefined): Measure {
    const bytes = this.#bytes;
    if (problem === undefined) return { bytes, isWhole: true };
    return { bytes, isWhole: false, problem };
  }
}
