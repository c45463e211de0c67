/** Tools that are recorded and not run by a test: other forms of output, and programs that `percent` reads. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { file, MB, share, sh } from './tool-runs.ts';
import type { ToolRun } from './tool-runs.ts';

const FED = '20 MB';

export const MORE_RUNS: readonly ToolRun[] = [
  {
    name: 'pv bar',
    programs: ['pv'],
    version: ['pv', '--version'],
    fed: FED,
    prepare: (at) => {
      file(at, 'big', 20);
      const command = sh(`pv -f -i 0.2 -L 4m ${at}/big > ${at}/to`);
      return { command, truth: share(join(at, 'to'), 20 * MB) };
    },
  },
  {
    name: 'rsync, human numbers',
    programs: ['rsync'],
    version: ['rsync', '--version'],
    fed: FED,
    prepare: (at) => {
      for (let index = 0; index < 40; index += 1) file(join(at, 'from'), `f${index}`, 0.5);
      const args = ['-ah', '--info=progress2', '--no-inc-recursive', '--bwlimit=4000'];
      return {
        command: ['rsync', ...args, `${at}/from/`, `${at}/to/`],
        truth: share(join(at, 'to'), 20 * MB),
      };
    },
  },
  rclone('rclone -P', '-P --stats 300ms'),
  rclone('rclone JSON', '-v --use-json-log --stats 300ms'),
  {
    name: 'dd in blocks',
    programs: ['dd', 'pv'],
    version: ['dd', '--version'],
    fed: FED,
    progress: { parser: 'dd', totalBytes: 20 * MB },
    prepare: (at) => {
      file(at, 'big', 20);
      const command = sh(`dd if=${at}/big bs=10k status=progress | pv -q -L 4m > ${at}/to`);
      return { command, truth: share(join(at, 'to'), 20 * MB) };
    },
  },
  download('curl -#', ['curl', '--version'], (url, to) => ['curl', '-#', '-o', to, url]),
  download('wget', ['wget', '--version'], (url, to) => ['wget', '-O', to, url]),
];

function rclone(name: string, options: string): ToolRun {
  return {
    name,
    programs: ['rclone'],
    version: ['rclone', 'version'],
    fed: FED,
    prepare: (at) => {
      for (let index = 0; index < 10; index += 1) file(join(at, 'from'), `${index}`, 2);
      const common = '--bwlimit 4M --config /dev/null';
      return {
        command: sh(`exec rclone copy ${at}/from ${at}/to ${options} ${common}`),
        truth: share(join(at, 'to'), 20 * MB),
      };
    },
  };
}

function download(
  name: string,
  version: readonly string[],
  command: (url: string, to: string) => readonly string[],
): ToolRun {
  return {
    name,
    programs: version.slice(0, 1),
    version,
    fed: FED,
    progress: { parser: 'percent' },
    prepare: async (at) => {
      file(at, 'big', 6);
      const server = createServer((_request, response) => {
        response.setHeader('content-length', 6 * MB);
        const source = createReadStream(join(at, 'big'), { highWaterMark: 100_000 });
        source.on('data', (chunk) => {
          source.pause();
          response.write(chunk);
          setTimeout(() => source.resume(), 100);
        });
        source.on('end', () => response.end());
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/big`;
      return {
        command: command(url, join(at, 'to')),
        truth: share(join(at, 'to'), 6 * MB),
        stop: () => new Promise((resolve) => server.close(() => resolve())),
      };
    },
  };
}
