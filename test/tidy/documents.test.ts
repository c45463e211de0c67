/** The documents are true: links lead somewhere, folders are named, metrics in alerts and dashboard exist. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { createCallLatency } from '../../src/control/call-latency.ts';
import { createRegistry } from '../../src/control/metrics.ts';
import { HUB_OPERATIONS, PIPELINE_OPERATIONS } from '../../src/core/model/call.ts';
import { OperatorInMemory } from '../control/operator-in-memory.ts';
import packageJson from '../../package.json' with { type: 'json' };

const DOCUMENTS = [
  'README.md',
  'src/README.md',
  'test/README.md',
  'config/README.md',
  'config/api.md',
  'config/events.md',
  'config/tracking.md',
  'config/operators-guide.md',
  'systemd/README.md',
  'systemd/SECURITY-MODEL.md',
  'config/SECRETS.md',
  '.github/SECURITY.md',
];

function read(path: string): string {
  return readFileSync(path, 'utf8');
}

test.each(DOCUMENTS)('every link of %s leads to a file', (document) => {
  const links = [...read(document).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
    ([, link = '']) => link,
  );
  expect(links.filter((link) => !existsSync(join(dirname(document), link)))).toEqual([]);
});

test('every folder of src is in the code map, every folder of test in its table', () => {
  const missing = (root: string, text: string) =>
    readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !text.includes(`\`${entry.name}/\``))
      .map((entry) => entry.name);
  expect(missing('src', read('src/README.md'))).toEqual([]);
  expect(missing('test', read('test/README.md'))).toEqual([]);
});

test('every file of the core that a newcomer meets first is named in src/README.md', () => {
  const text = read('src/README.md');
  for (const file of [
    'core/planner.ts',
    'core/scheduling/call-scheduler.ts',
    'core/scheduling/call-queue.ts',
    'core/runs/stop-escalation.ts',
    'agent/act.ts',
  ]) {
    expect(text).toContain(`(${file})`);
  }
});

test('each promise has a test of its name', () => {
  const rows = [...read('src/README.md').matchAll(/^\| (P\d+) .*$/gm)];
  expect(rows.map(([, name]) => name)).toEqual(
    Array.from({ length: 12 }, (_, index) => `P${index + 1}`),
  );
  const untested = rows.filter(([row, name = '']) => {
    const files = [...row.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => join('src', link));
    return !files.some((file) => new RegExp(`['\`]${name} `).test(read(file)));
  });
  expect(untested.map(([, name]) => name)).toEqual([]);
});

test('src is three levels deep', () => {
  const deeper = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.split('/').length > 3,
  );
  expect(deeper).toEqual([]);
});

test('every metric of the alert rules and of the dashboard is one that the agent has', async () => {
  const registry = createRegistry(new OperatorInMemory(), createCallLatency());
  const known = new Set((await registry.getMetricsAsJSON()).map(({ name }) => name));
  const rules = parse(read('config/prometheus-alerts.yaml')) as { groups: unknown[] };
  expect(rules.groups).toHaveLength(1);
  const used = [
    ...(JSON.stringify(rules) + read('config/grafana-dashboard.json')).matchAll(
      /(?:migration_agent|nodejs)_\w+/g,
    ),
  ].map(([name]) => name.replace(/_bucket$/, ''));
  expect(used.length).toBeGreaterThan(8);
  expect(used.filter((name) => !known.has(name))).toEqual([]);
});

test('every alert has its remedy in the operator’s guide, and no other has one', () => {
  const [, names = ''] = read('config/operators-guide.md').split('## Alerts');
  const documented = [...names.matchAll(/^### (\w+)/gm)].map(([, name]) => name);
  const rules = [...read('config/prometheus-alerts.yaml').matchAll(/alert: (\w+)/g)];
  expect(documented.toSorted()).toEqual(rules.map(([, name]) => name).toSorted());
});

test('the IAM policy allows what the agent calls, and nothing else', () => {
  const { Statement } = JSON.parse(read('config/iam-policy.json')) as {
    Statement: { Action: string | string[] }[];
  };
  const allowed = Statement.flatMap(({ Action }) => Action).map((name) => name.split(':')[1]);
  // The doctor and history read as well.
  const called = [...HUB_OPERATIONS, ...PIPELINE_OPERATIONS, 'ListSourceResources'];
  expect(allowed.toSorted()).toEqual(called.toSorted());
});

test('every command that a document shows is one of the program', () => {
  const names = new Set(
    [...read('src/cli/commands.ts').matchAll(/^ {2}(\w+): \{$/gm)].map(([, name]) => name),
  );
  expect(names.size).toBeGreaterThan(15);
  for (const document of DOCUMENTS) {
    const shown = [...read(document).matchAll(/`migration-agent ([a-z]+)/g)].map(
      ([, name]) => name,
    );
    expect([document, shown.filter((name) => !names.has(name))]).toEqual([document, []]);
  }
});

test('the README’s npm commands are scripts', () => {
  const used = [...read('README.md').matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name);
  expect(used.filter((name) => !(name in packageJson.scripts))).toEqual([]);
});

test('the lock file names no registry address', () => {
  expect(read('package-lock.json')).not.toMatch(/"resolved": *"http/);
});

test('vulnerabilities of comparable programs: thirty at least, each with a test or the reason that it cannot apply', () => {
  const rows = read('systemd/SECURITY-MODEL.md')
    .split('\n')
    .filter((line) => line.startsWith('| CVE-'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const numbers = rows.flatMap(([, cell = '']) => cell.split(', '));
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.length).toBeGreaterThanOrEqual(30);
  const bare = rows.filter(([, , , , applies = '', test = '']) => {
    const isTest = /\]\(\.\.\/test\/[^)]+\.test\.ts\)$/.test(test);
    return !isTest && !applies.startsWith('no: ');
  });
  // A package's script is read, not attacked.
  expect(bare.map(([, number]) => number)).toEqual(['CVE-2017-9525']);
});
