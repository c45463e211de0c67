/** `config show`: the value of every key and its source. Secrets are masked. */
import { maskSecrets } from '../core/lib/secrets.ts';
import type { Configuration } from './build/configuration.ts';
import { configurationSchema } from './schema/schema.ts';
import type { SchemaNode } from './schema/schema.ts';
import { formOf } from './schema/walk.ts';

export interface EffectiveRow {
  readonly key: string;
  readonly value: string;
  readonly source: 'file' | 'default' | 'environment' | 'profile';
}

/** In the order of the schema. */
export function describeEffective(configuration: Configuration): readonly EffectiveRow[] {
  return rowsOf(configurationSchema(), configuration.written.tree, '', 'file', configuration);
}

function rowsOf(
  node: SchemaNode,
  value: unknown,
  key: string,
  source: EffectiveRow['source'],
  configuration: Configuration,
): EffectiveRow[] {
  if (value === undefined) {
    if (node.default === undefined) return derivedRows(key, configuration);
    return rowsOf(node, node.default, key, 'default', configuration);
  }
  const form = formOf(node, value);
  const below = (name: string, child: SchemaNode, member: unknown) =>
    rowsOf(child, member, key === '' ? name : `${key}.${name}`, source, configuration);
  // An empty default list means only that nothing is configured.
  if (Array.isArray(value) && value.length === 0 && source === 'default') return [];
  if (Array.isArray(value) && value.some((item) => typeof item === 'object')) {
    return value.flatMap((item: unknown, index) => below(String(index), form.items ?? {}, item));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [rowOf(key, value, source, configuration)];
  }
  const members = value as Readonly<Record<string, unknown>>;
  const others = form.additionalProperties === false ? undefined : form.additionalProperties;
  const named = Object.entries(form.properties ?? {}).flatMap(([name, child]) =>
    below(name, child, members[name]),
  );
  const free = Object.entries(members)
    .filter(([name]) => form.properties?.[name] === undefined)
    .flatMap(([name, member]) => below(name, others ?? {}, member));
  return [...named, ...free];
}

/** Derived values of a key that is not in the file, or of keys below it. */
function derivedRows(key: string, { written }: Configuration): EffectiveRow[] {
  return [...written.derived]
    .filter(([name]) => name === key || name.startsWith(`${key}.`))
    .map(([name, { value, source }]) => ({ key: name, value, source }));
}

function rowOf(
  key: string,
  value: unknown,
  source: EffectiveRow['source'],
  configuration: Configuration,
): EffectiveRow {
  const { derived, fromEnvironment } = configuration.written;
  const replaced = derived.get(key);
  if (replaced !== undefined) return { key, value: replaced.value, source: replaced.source };
  const items = Array.isArray(value) ? (value as readonly unknown[]) : undefined;
  const texts = (items ?? [value]).map((item, index) => {
    // A value from the environment is shown as `${env:NAME}`: the name is not a secret.
    const written = fromEnvironment.get(items === undefined ? key : `${key}.${index}`);
    return written ?? String(item);
  });
  const isFilled = [...fromEnvironment.keys()].some(
    (name) => name === key || (items !== undefined && name.startsWith(`${key}.`)),
  );
  const text = maskSecrets(
    texts.map((word) => (items === undefined ? word : quoted(word))).join(' '),
  );
  return {
    key,
    value: looksSecret(key) && !isFilled ? '***' : text,
    source: isFilled ? 'environment' : source,
  };
}

/** True for variables of a job whose names show that they hold a secret. */
function looksSecret(key: string): boolean {
  const variable = /^jobs\..*\.environment\.([^.]+)$/.exec(key)?.[1];
  if (variable === undefined) return false;
  return /PASS|PWD|SECRET|TOKEN|CREDENTIAL|PRIVATE|AUTH|(^|_|API|ACCESS)KEY/i.test(variable);
}

function quoted(word: string): string {
  return /^[\w@%+=:,./$*{}~-]+$/.test(word) ? word : JSON.stringify(word);
}
