/** A process that has no descriptor left cannot load the SDK, or connect. Once it has some again, its calls go out. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startStub } from './aws-stub.ts';

const SERVICES = join(import.meta.dirname, '../../src/aws/services.ts');

const PROGRAM = `
import { closeSync, openSync } from 'node:fs';
import { createServices } from '${SERVICES}';
const endpoint = process.argv[2];
const services = createServices({
  version: '1', region: 'us-east-1', dataPipelineRegion: 'us-east-1', environment: {},
  endpoints: { migrationHub: endpoint, migrationHubConfig: endpoint, dataPipeline: endpoint },
});
const calls = [
  { operation: 'ReportTaskProgress', taskId: 'task-1' },
  { operation: 'GetHomeRegion' },
];
const kinds = async () => (await Promise.all(calls.map((call) => services.send(call)))).map(({ kind }) => kind);
const taken = [];
try { for (;;) taken.push(openSync('/dev/null')); } catch {}
const exhausted = await kinds();
for (const descriptor of taken) closeSync(descriptor);
console.log(JSON.stringify({ exhausted, after: await kinds() }));
services.close();
`;

test('nothing that failed while there were none is remembered', async () => {
  const stub = await startStub();
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-descriptors-'));
  try {
    const program = join(directory, 'program.ts');
    writeFileSync(program, PROGRAM);
    const { stdout } = await promisify(execFile)(
      'sh',
      ['-c', 'ulimit -n 128; exec "$@"', 'sh', process.execPath, program, stub.url],
      { env: { ...process.env, AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'x' } },
    );
    const { exhausted, after } = JSON.parse(stdout) as { exhausted: string[]; after: string[] };
    expect(exhausted).not.toContain('accepted');
    expect(after).toEqual(['accepted', 'accepted']);
  } finally {
    rmSync(directory, { recursive: true });
    await stub.close();
  }
});
