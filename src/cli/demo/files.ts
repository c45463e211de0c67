/** The demo's world in a temporary directory: real file trees, checksums with one wrong, a configuration. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Copier } from './copier.ts';

export interface DemoWorld {
  readonly configuration: string;
  readonly socket: string;
  readonly log: string;
}

const TREES: readonly (readonly [name: string, files: number, bytes: number])[] = [
  ['photos', 240, 64 * 1024],
  ['invoices', 120, 48 * 1024],
  ['archive', 160, 64 * 1024],
  ['mail', 200, 64 * 1024],
];

/** Makes everything below `directory`; the services are at `endpoint`. */
export function makeDemoWorld(directory: string, endpoint: string, copier: Copier): DemoWorld {
  for (const [name, files, bytes] of TREES) makeTree(join(directory, 'source', name), files, bytes);
  writeChecksums(directory);
  mkdirSync(join(directory, 'target'));
  const world = {
    configuration: join(directory, 'config.yaml'),
    socket: join(directory, 'agent.sock'),
    log: join(directory, 'agent.log'),
  };
  writeFileSync(world.configuration, configurationText(directory, endpoint, copier));
  return world;
}

function makeTree(directory: string, files: number, bytes: number): void {
  mkdirSync(directory, { recursive: true });
  for (let i = 0; i < files; i++) {
    const folder = join(directory, `folder-${i % 8}`);
    if (i < 8) mkdirSync(folder);
    // Text that differs from file to file and does not compress away.
    const line = createHash('sha256').update(`${directory}/${i}`).digest('hex');
    writeFileSync(join(folder, `file-${i}.dat`), line.repeat(Math.ceil(bytes / line.length)));
  }
}

/** Every sum is right but one: that file was damaged on its way. */
const DAMAGED = 90;

function writeChecksums(directory: string): void {
  const sums: string[] = [];
  const [, files = 0, bytes = 0] = TREES[1] ?? [];
  for (let i = 0; i < files; i++) {
    const root = join(directory, 'source', 'invoices');
    const line = createHash('sha256').update(`${root}/${i}`).digest('hex');
    const content = i === DAMAGED ? 'damaged' : line.repeat(Math.ceil(bytes / line.length));
    const sum = createHash('sha256').update(content).digest('hex');
    sums.push(`${sum}  source/invoices/folder-${i % 8}/file-${i}.dat`);
  }
  writeFileSync(join(directory, 'invoices.sha256'), `${sums.join('\n')}\n`);
}

function configurationText(directory: string, endpoint: string, copier: Copier): string {
  const copy = (name: string, kibPerSecond: number): string => {
    return `
  ${name}:
    command: ${JSON.stringify(copier.command(`source/${name}/`, `target/${name}/`, kibPerSecond))}
    workingDirectory: ${JSON.stringify(directory)}
    progress: { parser: ${copier.parser} }
    stop: { grace: 5s }`;
  };
  return `# Made by the demo.
aws:
  region: us-west-2
  endpoints: { migrationHub: "${endpoint}", migrationHubConfig: "${endpoint}", dataPipeline: "${endpoint}" }
migrationHub:
  progressUpdateStream: demo
  createStream: true
  nextUpdate: 60s
dataPipeline:
  workerGroups: [demo-host]
  reportEvery: 5s
  activities:
    - match: { name: MoveArchive }
      job: archive
    - match: { name: MoveMail }
      job: mail
agent:
  stateDirectory: ${JSON.stringify(join(directory, 'state'))}
  socket: ${JSON.stringify(join(directory, 'agent.sock'))}
jobs:${copy('photos', 460)}${copy('archive', 210)}${copy('mail', 160)}
  invoices:
    command:
      - /bin/sh
      - -c
      - 'n=0; while read -r sum file; do echo "$sum  $file" | sha256sum --status -c - || { echo "$file: checksum differs" >&2; exit 1; }; n=$((n+1)); echo "$((n*100/120))%"; sleep 0.06; done < "$1"'
      - verify
      - invoices.sha256
    workingDirectory: ${JSON.stringify(directory)}
    progress: { parser: percent }
`;
}
