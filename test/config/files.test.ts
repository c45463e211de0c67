import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { keyTable } from '../../src/config/schema/key-table.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { configurationSchema } from '../../src/config/schema/schema.ts';
import type { SchemaNode } from '../../src/config/schema/schema.ts';

const FOLDER = new URL('../../config/', import.meta.url);
const EXAMPLES = [
  'example.yaml',
  'minimal.yaml',
  'migration-hub-only.yaml',
  'data-pipeline-worker.yaml',
];

test.each(EXAMPLES)('%s loads without problems or warnings, and names its schema', async (name) => {
  const text = await readFile(new URL(name, FOLDER), 'utf8');
  const loaded = loadConfiguration({ file: name, text, environment: {}, hostname: 'files01' });
  // Whether this user could run the jobs of another one is a fact of this host, not of the file.
  const warnings = loaded.ok ? loaded.warnings : [];
  expect(loaded).toMatchObject({ ok: true });
  expect(
    warnings.filter(({ message }) => !message.includes('may not run jobs as another')),
  ).toEqual([]);
  expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./schema.json');
});

test('every example is tested', async () => {
  const files = await readdir(FOLDER);
  const examples = files.filter(
    (name) => name.endsWith('.yaml') && !/alert|rule|prometheus/.test(name),
  );
  expect(examples.toSorted()).toEqual(EXAMPLES.toSorted());
});

test('example.yaml shows every key', async () => {
  const text = await readFile(new URL('example.yaml', FOLDER), 'utf8');
  const names = new Set([...text.matchAll(/(\w+):/g)].map(([, name]) => name));
  const keys = keyTable().matchAll(/^\| `([^`]+)`/gm);
  const missing = [...keys]
    .map(([, key = '']) => key)
    // Of the operations two examples are enough; total is in a comment beside source.
    .filter((key) => !key.includes('.rates.') && key !== 'jobs.NAME.progress.total')
    .filter((key) => !names.has(key.slice(key.lastIndexOf('.') + 1)));
  expect(missing).toEqual([]);
});

test('config/schema.json is what the code makes (vitest -u writes it)', async () => {
  const text = `${JSON.stringify(configurationSchema(), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot(new URL('schema.json', FOLDER).pathname);
});

test('every key of the schema has a description', () => {
  const bare: string[] = [];
  const visit = (node: SchemaNode, path: string): void => {
    for (const [name, child] of Object.entries(node.properties ?? {})) {
      // What tells the forms of a parser apart is described once.
      if (child.description === undefined && child.const === undefined)
        bare.push(`${path}.${name}`);
      visit(child, `${path}.${name}`);
    }
    const below = [
      node.items,
      node.additionalProperties,
      ...(node.anyOf ?? []),
      ...(node.oneOf ?? []),
    ];
    for (const child of below) if (child !== undefined && child !== false) visit(child, path);
  };
  visit(configurationSchema(), '');
  expect(bare).toEqual([]);
});

test('the table of config/README.md is current', async () => {
  const text = await readFile(new URL('README.md', FOLDER), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| '));
  expect(rows.map(plain)).toEqual(keyTable().split('\n').map(plain));
});

/** The formatter aligns the columns. */
function plain(row: string): string {
  return row.replace(/-{3,}/g, '---').replace(/ +/g, ' ').replace(/ \|$/, '|');
}
