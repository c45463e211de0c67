/** The table of all keys, generated from the schema: the body of config/README.md. */
import { configurationSchema } from './schema.ts';
import type { SchemaNode } from './schema.ts';

interface Row {
  readonly key: string;
  readonly value: string;
  readonly default: string;
  readonly description: string;
}

export function keyTable(): string {
  const rows = rowsOf(configurationSchema(), '', false);
  const lines = rows.map(
    (row) =>
      `| \`${row.key}\` | ${row.value} | ${row.default === '' ? '' : `\`${row.default}\``} | ${row.description} |`,
  );
  return ['| Key | Value | Default | Meaning |', '| --- | --- | --- | --- |', ...lines].join('\n');
}

function rowsOf(node: SchemaNode, prefix: string, isRate: boolean): Row[] {
  const rows: Row[] = [];
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const key = prefix + name;
    // Every operation has the same two keys, which are described once, under `rate`.
    if (isRate) {
      rows.push(rowOf(key, child, node));
      continue;
    }
    rows.push(rowOf(key, child, node), ...below(child, key));
  }
  return rows;
}

function below(node: SchemaNode, key: string): Row[] {
  const forms = [node, ...(node.anyOf ?? [])];
  const rows = forms.flatMap((form) => rowsOf(form, `${key}.`, key.endsWith('.rates')));
  // All forms of a parser share the key `parser`.
  const parsers = node.oneOf?.flatMap(parserNames) ?? [];
  if (parsers.length > 0) {
    const parser: SchemaNode = {
      enum: parsers,
      description:
        'How progress is read: from the output of the job, or from files. auto: by the program in the command.',
    };
    rows.push(rowOf(`${key}.parser`, parser, { required: ['parser'] }));
    for (const form of node.oneOf ?? []) {
      const own = rowsOf(form, `${key}.`, false).filter((row) => row.key !== `${key}.parser`);
      rows.push(
        ...own.map((row) => ({
          ...row,
          description: `${parserNames(form).join()}: ${row.description}`,
        })),
      );
    }
  }
  if (node.items !== undefined) rows.push(...rowsOf(node.items, `${key}[].`, false));
  const others = node.additionalProperties;
  if (others !== undefined && others !== false && others.properties !== undefined) {
    rows.push(...rowsOf(others, `${key}.NAME.`, false));
  }
  return rows;
}

function rowOf(key: string, node: SchemaNode, parent: SchemaNode): Row {
  const name = key.slice(key.lastIndexOf('.') + 1);
  const isRequired = parent.required?.includes(name) === true;
  return {
    key,
    value: kindOf(node) + (isRequired ? ', required' : ''),
    default: defaultOf(node),
    description: (node.description ?? '').replaceAll('|', '\\|'),
  };
}

function defaultOf({ default: value }: SchemaNode): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // An empty map or list means only that the key is optional.
  return text === '{}' || text === '[]' ? '' : text.replaceAll('"', '').replaceAll(/[:,]/g, '$& ');
}

function kindOf(node: SchemaNode): string {
  if (node.enum !== undefined) return node.enum.map((name) => `\`${String(name)}\``).join(' ');
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.anyOf !== undefined) return node.anyOf.map(kindOf).join(' or ');
  if (node.pattern?.includes('\\d{1,9}d') === true) return 'duration';
  if (node.pattern?.includes('kKMGTP') === true) return 'size';
  if (node.oneOf !== undefined || node.type === 'object') return 'map';
  if (node.type === 'array') return 'list';
  if (node.type === 'boolean') return '`true` or `false`';
  if (node.type === 'number') return 'number';
  if (node.type === 'integer') return 'whole number';
  return 'text';
}

function parserNames(form: SchemaNode): readonly string[] {
  const parser = form.properties?.['parser'];
  return (parser?.enum ?? [parser?.const]).map(String);
}
