/** What one run of `npm run package` makes, for one architecture. */
import type { Architecture } from './architecture.ts';

export interface PackageBuild {
  readonly version: string;
  readonly architecture: Architecture;
  /** Seconds since 1970. All files carry this time. */
  readonly epochS: number;
  /** Skips the compression, which takes most of the time. */
  readonly isFast: boolean;
  readonly outputDirectory: string;
}

export const MAINTAINER = 'The migration-agent developers <migration-agent@example.com>';

/** xz cuts its input into blocks if it has threads. The number is fixed, because it changes the bytes. */
export const COMPRESSION_THREADS = 2;
