/** What one run of `npm run package` makes, for one architecture. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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

const { author, homepage } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'),
) as { readonly author: string; readonly homepage: string };

export const MAINTAINER = author;
export const HOMEPAGE = homepage;

/** Names of RFC 2606, which nobody owns: the addresses of package.json until the project has a public place. */
export const hasPublicAddresses = ![author, homepage].some((text) => text.includes('example.com'));

/** xz cuts its input into blocks if it has threads. The number is fixed, because it changes the bytes. */
export const COMPRESSION_THREADS = 2;
