/** The rules of eslint.config.js, each seen to fail on a line that breaks it. */
import { ESLint } from 'eslint';
import type { Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { beforeAll, describe, expect, test } from 'vitest';

/** The configuration without the rules that read types: to read those of the whole project takes seconds. */
const withoutTypes = new ESLint({
  overrideConfig: tseslint.configs.disableTypeChecked as Linter.Config,
});
/** With the types of a project that has little more than the text. */
const withTypes = new ESLint({
  overrideConfig: {
    languageOptions: {
      parserOptions: {
        projectService: false,
        project: 'test/tidy/lint-types.tsconfig.json',
        // With CI=true the parser takes a file's types from the disk, so it would not see the text of the test.
        disallowAutomaticSingleRunInference: true,
      },
    },
  },
});

/** The rules that this text breaks as if it stood in `file`, which exists. */
async function broken(file: string, text: string): Promise<string[]> {
  return (await messagesOf(file, text, withoutTypes)).map(ruleOf);
}

async function messagesOf(
  file: string,
  text: string,
  eslint: ESLint,
): Promise<Linter.LintMessage[]> {
  const results = await eslint.lintText(`${text}\n`, { filePath: file });
  return results.flatMap((result) => result.messages);
}

/** A message without a rule says that the text could not be read. */
function ruleOf({ ruleId, message }: Linter.LintMessage): string {
  return ruleId ?? message;
}

const CORE = 'src/core/lib/heap.ts';
const GATES = 'src/aws/budget/gates.ts';
const AGENT = 'src/agent/act.ts';

describe('the core', () => {
  test.each([
    [
      'imports Node',
      `import { readFileSync } from 'node:fs';\nexport const x = readFileSync;`,
      'no-restricted-imports',
    ],
    [
      'imports a package',
      `import pino from 'pino';\nexport const x = pino;`,
      'no-restricted-imports',
    ],
    [
      'imports an adapter',
      `import { openStore } from '../../store/store.ts';\nexport const x = openStore;`,
      'no-restricted-imports',
    ],
    ['reads a clock', 'export const x = Date.now();', 'no-restricted-globals'],
    ['reads the other clock', 'export const x = performance.now();', 'no-restricted-globals'],
    ['throws dice', 'export const x = Math.random();', 'no-restricted-properties'],
    ['sets a timer', 'export const x = setTimeout(() => 1, 5);', 'no-restricted-globals'],
    ['knows the process', 'export const x = process.pid;', 'no-restricted-globals'],
    [
      'holds a promise',
      'export const x: Promise<number> | undefined = undefined;',
      'no-restricted-syntax',
    ],
    [
      'waits',
      'export async function x(): Promise<number> {\n  return await Promise.resolve(1);\n}',
      'no-restricted-syntax',
    ],
  ])('%s: refused', async (_what, text, rule) => {
    expect(await broken(CORE, text)).toContain(rule);
  });
});

describe('the borders', () => {
  test.each([
    ['agent', AGENT, '../aws/budget/gates.ts', 'createGates'],
    ['aws', 'src/aws/budget/gates.ts', '../../jobs/job-host.ts', 'createJobHost'],
    ['jobs', 'src/jobs/job-host.ts', '../store/store.ts', 'openStore'],
    ['store', 'src/store/store.ts', '../agent/inbox.ts', 'Inbox'],
    ['control', 'src/control/http/server.ts', '../../config/load.ts', 'loadConfiguration'],
    ['simulator', 'src/simulator/simulator.ts', '../core/lib/time.ts', 'SECOND_MS'],
    ['simulator', 'src/simulator/simulator.ts', '../aws/budget/gates.ts', 'createGates'],
  ])('%s may not import %s: %s', async (_folder, file, from, name) => {
    const text = `import { ${name} } from '${from}';\nexport const x = ${name};`;
    expect(await broken(file, text)).toContain('no-restricted-imports');
  });
});

describe('rules that read types', () => {
  const floating = '@typescript-eslint/no-floating-promises';
  const misused = '@typescript-eslint/no-misused-promises';
  const exhaustive = '@typescript-eslint/switch-exhaustiveness-check';
  const imports = `import { EventEmitter } from 'node:events';
    import { writeFile } from 'node:fs/promises';
    import Bottleneck from 'bottleneck';`;
  // A line each, in one text: to read the types takes a second.
  const cases: readonly (readonly [what: string, line: string, rule: string | undefined])[] = [
    ['a call that nobody waits for', `writeFile('a', 'b');`, floating],
    ['a call that is waited for', `await writeFile('a', 'b');`, undefined],
    ['void is no owner', `void writeFile('a', 'b');`, floating],
    ['a job of the limiter', 'new Bottleneck().schedule(() => Promise.resolve(1));', floating],
    [
      'an async callback that nothing awaits',
      `new EventEmitter().on('exit', async () => { await Promise.resolve(); });`,
      misused,
    ],
    [
      'a switch that forgets a case',
      `export function x(kind: 'a' | 'b'): number { switch (kind) { case 'a': return 1; } return 0; }`,
      exhaustive,
    ],
  ];
  const text = [imports, ...cases.map(([, line]) => line)].join('\n');
  const firstLine = imports.split('\n').length + 1;
  let messages: Linter.LintMessage[];
  beforeAll(async () => {
    messages = await messagesOf(GATES, text, withTypes);
  });

  test.each(cases.map(([what, , rule], i) => ({ what, rule, line: firstLine + i })))(
    '$what: $rule',
    ({ line, rule }) => {
      const found = messages.filter((message) => message.line === line).map(ruleOf);
      expect(found).toEqual(rule === undefined ? [] : [rule]);
    },
  );
});

test('a package that is imported when it is needed, for its names: refused', async () => {
  const text = `export const x = async () => (await import('yaml')).parse('1');`;
  expect(await broken(GATES, text)).toContain('no-restricted-syntax');
  const own = `export const x = async () => (await import('./redis-client.ts')).Redis;`;
  expect(await broken(GATES, own)).not.toContain('no-restricted-syntax');
});

describe('the architecture', () => {
  test.each([
    [
      'a file that imports its importer, types only',
      'src/core/lib/heap.ts',
      "import type { CallQueue } from '../scheduling/call-queue.ts';\nexport type X = CallQueue<string>;",
      'architecture/circles',
    ],
    [
      'a folder that imports a folder that imports it',
      'src/jobs/process/user.ts',
      "import type { JobHost } from '../job-host.ts';\nexport type X = JobHost;",
      'architecture/circles',
    ],
    [
      'a layer of the core that imports one above it',
      'src/core/scheduling/pacing.ts',
      "import type { HubConnection } from '../hub/connection.ts';\nexport type X = HubConnection;",
      'no-restricted-imports',
    ],
    [
      'a function with too many branches',
      'src/core/lib/heap.ts',
      `export function x(n: number): number {\n${Array.from({ length: 16 }, (_, i) => `  if (n === ${i}) return ${i + 1};`).join('\n')}\n  return n;\n}`,
      'complexity',
    ],
    [
      'a function that fits on no screen',
      'src/core/lib/heap.ts',
      `export function x(n: number): number {\n  let sum = n;\n${'  sum += n;\n'.repeat(90)}  return sum;\n}`,
      'max-lines-per-function',
    ],
  ])('%s: refused', async (_what, file, text, rule) => {
    expect(await broken(file, text)).toContain(rule);
  });
});
