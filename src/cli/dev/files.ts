/** The configuration of `dev`, in its temporary directory. It can be edited, and `migration-agent reload` reads it again. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface DevFiles {
  readonly configuration: string;
  readonly socket: string;
}

export function writeDevFiles(directory: string, endpoint: string): DevFiles {
  const files = {
    configuration: join(directory, 'config.yaml'),
    socket: join(directory, 'agent.sock'),
  };
  const quoted = (path: string): string => JSON.stringify(path);
  writeFileSync(
    files.configuration,
    `# Made by "migration-agent dev"; after a change: migration-agent reload
aws:
  region: us-west-2
  endpoints: { migrationHub: "${endpoint}", migrationHubConfig: "${endpoint}", dataPipeline: "${endpoint}" }
migrationHub:
  progressUpdateStream: dev
  createStream: true
  nextUpdate: 60s
dataPipeline:
  workerGroups: [dev]
  activities:
    - match: { type: ShellCommandActivity }
      job: hello
agent:
  stateDirectory: ${quoted(join(directory, 'state'))}
  socket: ${quoted(files.socket)}
  http: { listen: "127.0.0.1:0" }
jobs:
  hello:
    command: [/bin/sh, -c, 'for i in 20 40 60 80 100; do echo "$i%"; sleep 1; done']
    progress: { parser: percent }
`,
    { mode: 0o600 },
  );
  return files;
}
