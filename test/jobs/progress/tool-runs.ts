/**
 * Real tools at work, slow enough to be watched, each with a measure of what is really done that does not come from its
 * output. The tests and the percent table (percent-table.ts) run the same list.
 */
import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { ProgressSource } from '../../../src/core/model/job.ts';
import { postgresPrograms, startPostgres } from '../../support/postgres.ts';

export const MB = 1_000_000;
export const sh = (text: string): string[] => ['/bin/sh', '-c', text];

export interface Prepared {
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** How much is done, in percent. */
  readonly truth: () => number;
  readonly stop?: () => Promise<void>;
}

export interface ToolRun {
  readonly name: string;
  readonly programs: readonly string[];
  /** Prints the version. */
  readonly version: readonly string[];
  /** What is copied, for the table. */
  readonly fed: string;
  readonly progress?: ProgressSource;
  /** With the total, if the agent would measure it. */
  readonly recordedProgress?: ProgressSource;
  readonly prepare: (directory: string) => Prepared | Promise<Prepared>;
}

const pg = (program: string): string => join(postgresPrograms, program);

export const TOOL_RUNS: readonly ToolRun[] = [
  {
    name: 'rsync',
    programs: ['rsync'],
    version: ['rsync', '--version'],
    fed: '300 small files, then one of 20 MB',
    prepare: (at) => rsync(at, ['--no-inc-recursive']),
  },
  {
    name: 'rsync, incremental recursion',
    programs: ['rsync'],
    version: ['rsync', '--version'],
    fed: '300 small files, then one of 20 MB',
    prepare: (at) => rsync(at, ['--inc-recursive']),
  },
  {
    name: 'pv -n',
    programs: ['pv'],
    version: ['pv', '--version'],
    fed: 'a file of 20 MB',
    prepare: (at) => {
      file(at, 'big', 20);
      const command = sh(`pv -n -i 0.3 -L 4m ${at}/big > ${at}/to`);
      return { command, truth: share(join(at, 'to'), 20 * MB) };
    },
  },
  {
    name: 'tar, checkpoints',
    programs: ['tar', 'pv'],
    version: ['tar', '--version'],
    fed: 'a file of 20 MB into a pipe of 4 MB/s',
    progress: { parser: 'tar' },
    recordedProgress: { parser: 'tar', totalBytes: 20 * MB },
    prepare: (at) => {
      file(at, 'big', 20);
      const command = sh(`tar --checkpoint=50 -cf - -C ${at} big | pv -q -L 4m > ${at}/to`);
      return { command, truth: share(join(at, 'to'), 20 * MB) };
    },
  },
  {
    name: 'dd',
    programs: ['dd', 'pv'],
    version: ['dd', '--version'],
    fed: '20 MB from a pipe of 4 MB/s',
    progress: { parser: 'dd', totalBytes: 20 * MB },
    prepare: (at) => {
      file(at, 'big', 20);
      const command = sh(`pv -q -L 4m ${at}/big | dd bs=64k of=${at}/to status=progress`);
      return { command, truth: share(join(at, 'to'), 20 * MB) };
    },
  },
  {
    name: 'rclone',
    programs: ['rclone'],
    version: ['rclone', 'version'],
    fed: '10 files of 2 MB',
    prepare: (at) => {
      for (let index = 0; index < 10; index += 1) file(join(at, 'from'), `${index}`, 2);
      const options = '-v --stats 500ms --stats-one-line --bwlimit 4M --config /dev/null';
      const command = sh(`exec rclone copy ${at}/from ${at}/to ${options}`);
      return { command, truth: share(join(at, 'to'), 20 * MB) };
    },
  },
  {
    name: 'restic',
    programs: ['restic'],
    version: ['restic', 'version'],
    fed: 'a file of 80 MB, of which the repository takes 16 MB/s',
    prepare: (at) => {
      file(at, 'big', 80);
      const environment = {
        RESTIC_PASSWORD: 'x',
        RESTIC_REPOSITORY: join(at, 'repo'),
        RESTIC_CACHE_DIR: join(at, 'cache'),
        RESTIC_PROGRESS_FPS: '5',
      };
      execFileSync('restic', ['init', '-q'], { env: { ...process.env, ...environment } });
      const command = ['restic', 'backup', '--json', '--limit-upload', '16000', join(at, 'big')];
      return { command, environment, truth: readOf(join(at, 'big'), 80 * MB) };
    },
  },
  {
    name: 'qemu-img',
    programs: ['qemu-img'],
    version: ['qemu-img', '--version'],
    fed: 'a raw image of 40 MB, 8 MB/s',
    prepare: (at) => {
      file(at, 'raw', 40);
      // Without a limit the page cache takes it all at once, and only 0 and 100 are seen. With -m 1 it reads 2 MB ahead, not 16.
      const command = [
        'qemu-img',
        'convert',
        '-p',
        '-m',
        '1',
        '-r',
        '8M',
        '-f',
        'raw',
        '-O',
        'qcow2',
      ];
      return {
        command: [...command, join(at, 'raw'), join(at, 'to')],
        truth: share(join(at, 'to'), 40 * MB),
      };
    },
  },
  {
    name: 'pg_basebackup',
    programs: postgresPrograms === '' ? ['pg_basebackup'] : [pg('pg_basebackup')],
    version: [pg('pg_basebackup'), '--version'],
    fed: 'a new cluster, 8 MB/s',
    prepare: async () => {
      const postgres = await startPostgres();
      const to = join(postgres.host, 'backup');
      const total = Number(
        postgres.run(
          'psql',
          '-At',
          '-d',
          'postgres',
          '-c',
          'select sum(pg_database_size(oid)) from pg_database',
        ),
      );
      const options = ['-P', '-X', 'none', '-c', 'fast', '--no-sync', '-r', '8M', '-D', to];
      return {
        command: [pg('pg_basebackup'), ...options],
        environment: { PGHOST: postgres.host, PGUSER: postgres.user, LC_ALL: 'C' },
        truth: share(to, total),
        stop: () => postgres.stop(),
      };
    },
  },
  {
    name: 'aws s3 cp',
    programs: ['aws'],
    version: ['aws', '--version'],
    fed: 'a file of 200 MB to a small S3 server of the test, 20 MB/s',
    prepare: async (at) => {
      file(at, 'big', 200);
      // Each connection holds some MB in the buffers of the kernel, which aws has counted already.
      writeFileSync(join(at, 'config'), '[default]\ns3 =\n  max_concurrent_requests = 1\n');
      const s3 = await startS3(20 * MB);
      return {
        command: ['aws', 's3', 'cp', join(at, 'big'), 's3://bucket/big', '--endpoint-url', s3.url],
        environment: {
          PATH: process.env['PATH'] ?? '',
          HOME: process.env['HOME'] ?? at,
          AWS_ACCESS_KEY_ID: 'a',
          AWS_SECRET_ACCESS_KEY: 'b',
          AWS_CONFIG_FILE: join(at, 'config'),
          AWS_DEFAULT_REGION: 'us-east-1',
          AWS_EC2_METADATA_DISABLED: 'true',
        },
        truth: () => (s3.received() / (200 * MB)) * 100,
        stop: s3.close,
      };
    },
  },
];

function rsync(at: string, options: readonly string[]): Prepared {
  for (let index = 0; index < 300; index += 1) file(join(at, 'from'), `a${index}`, 0.0001);
  file(join(at, 'from'), 'z', 20);
  const args = ['-a', '--info=progress2', ...options, '--bwlimit=4000', `${at}/from/`, `${at}/to/`];
  return { command: ['rsync', ...args], truth: share(join(at, 'to'), 20.03 * MB) };
}

export function file(directory: string, name: string, megabytes: number): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), randomBytes(megabytes * MB));
}

export function share(path: string, total: number): () => number {
  return () => Math.min(100, (bytesUnder(path) / total) * 100);
}

/** Blocks on disk count, since some tools make a file as long as it will be before they fill it. */
function bytesUnder(path: string): number {
  try {
    const entry = lstatSync(path);
    if (!entry.isDirectory()) return Math.min(entry.size, entry.blocks * 512);
    return readdirSync(path).reduce((sum, name) => sum + bytesUnder(join(path, name)), 0);
  } catch {
    return 0;
  }
}

/** How far a process has read the file, by its open descriptors. It closes the file when it has read it all. */
export function readOf(path: string, total: number): () => number {
  let furthest = 0;
  return () => {
    let isOpen = false;
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      for (const fd of listed(`/proc/${pid}/fd`)) {
        if (linkOf(`/proc/${pid}/fd/${fd}`) !== path) continue;
        isOpen = true;
        const [, position = '0'] = /pos:\s+(\d+)/.exec(textOf(`/proc/${pid}/fdinfo/${fd}`)) ?? [];
        furthest = Math.max(furthest, Number(position));
      }
    }
    if (furthest > 0 && !isOpen) furthest = total;
    return (furthest / total) * 100;
  };
}

// A process may end at any moment.
function orElse<Value>(fallback: Value, look: () => Value): Value {
  try {
    return look();
  } catch {
    return fallback;
  }
}
const listed = (path: string): string[] => orElse<string[]>([], () => readdirSync(path));
const linkOf = (path: string): string => orElse('', () => readlinkSync(path));
const textOf = (path: string): string => orElse('', () => readFileSync(path, 'utf8'));

/** What `aws s3 cp` needs of S3: multipart uploads, read at a limited rate. */
async function startS3(
  bytesPerSecond: number,
): Promise<{ url: string; received: () => number; close: () => Promise<void> }> {
  let received = 0;
  const beganMs = performance.now();
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://s3');
    request.on('data', (chunk: Buffer) => {
      if (request.method === 'PUT') received += chunk.length;
      const aheadMs = (received / bytesPerSecond) * 1000 - (performance.now() - beganMs);
      if (aheadMs <= 0) return;
      request.pause();
      setTimeout(() => request.resume(), aheadMs);
    });
    request.on('end', () => {
      response.setHeader('etag', '"0"');
      const upload = '<Bucket>bucket</Bucket><Key>big</Key>';
      if (request.method === 'PUT') response.end();
      else if (searchParams.has('uploads')) {
        response.end(
          `<InitiateMultipartUploadResult>${upload}<UploadId>1</UploadId></InitiateMultipartUploadResult>`,
        );
      } else {
        response.end(
          `<CompleteMultipartUploadResult>${upload}<ETag>"0"</ETag></CompleteMultipartUploadResult>`,
        );
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => received,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
