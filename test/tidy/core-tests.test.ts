/** Each file of the core with a decision in it has a test file beside its name in test/core. */
import { existsSync, globSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Files without one, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'planner.ts': 'one switch: each of its routes is a scenario of test/simulation and test/agent',
  'owners.ts': 'builds the parts',
  'hub/task-reporters.ts':
    'makes and removes reporters: hub/task-reporter and hub/links-reporter test them',
  'operator/planner-view.ts': 'types',
  'scheduling/reporter.ts': 'types',
  'model/action.ts': 'types',
  'model/agent-events.ts': 'a table',
  'model/call.ts': 'types',
  'model/event-kind.ts': 'types',
  'model/event.ts': 'types',
  'model/fact.ts': 'types',
  'model/host-identity.ts': 'types',
  'model/outbox.ts': 'types',
  'model/report-events.ts': 'a table',
  'model/run-events.ts': 'a table',
  'model/schedule.ts': 'types',
  'model/status.ts': 'types',
  'lib/secret-flags.ts':
    'rules: lib/secret-rules, lib/secret-edges and lib/secrets have a case for each',
  'lib/secret-keys.ts': 'as secret-flags',
  'lib/secret-names.ts': 'as secret-flags',
  'lib/secret-phrases.ts': 'as secret-flags',
  'lib/secret-tokens.ts': 'as secret-flags',
  'lib/secret-urls.ts': 'as secret-flags',
  'lib/secret-value.ts': 'as secret-flags',
};

const files = globSync('**/*.ts', { cwd: 'src/core' });
const hasTest = (file: string): boolean =>
  existsSync(`test/core/${file.replace(/\.ts$/, '.test.ts')}`);

test('there are files to look at', () => {
  expect(files.length).toBeGreaterThan(80);
});

test('a file without a test of its own is an exception with a reason', () => {
  expect(files.filter((file) => !hasTest(file) && EXCEPTIONS[file] === undefined)).toEqual([]);
});

test('no exception is out of date', () => {
  const old = Object.keys(EXCEPTIONS).filter((file) => !files.includes(file) || hasTest(file));
  expect(old).toEqual([]);
});

test('each test file of the core tests a file of that name', () => {
  const strays = globSync('**/*.test.ts', { cwd: 'test/core' }).filter(
    // `task-reporter-disk.test.ts` is one aspect of `task-reporter.ts`.
    (file) =>
      !files.some((one) =>
        new RegExp(`^${one.replace('.ts', '')}(-[a-z]+)?\\.test\\.ts$`).test(file),
      ),
  );
  // The rules of masking are several files.
  expect(strays).toEqual(['lib/secret-edges.test.ts', 'lib/secret-rules.test.ts']);
});
