/** Looks up keys in the JSON schema. */
import type { SchemaNode } from './schema.ts';

/** The part of the schema for a path; of several forms the one that fits `value`. */
export function nodeAt(
  root: SchemaNode,
  path: readonly PropertyKey[],
  value: unknown,
): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  let within = value;
  for (const segment of path) {
    if (node === undefined) return undefined;
    node = child(formOf(node, within), segment);
    within = read(within, segment);
  }
  return node === undefined ? undefined : formOf(node, within);
}

/** The form of a union that a value has: chosen by its parser, else by being a map. */
export function formOf(node: SchemaNode, value: unknown): SchemaNode {
  if (node.oneOf !== undefined) {
    const parser = read(value, 'parser');
    return (
      node.oneOf.find((form) => {
        const wanted = form.properties?.['parser'];
        return wanted?.enum?.includes(parser) ?? (parser !== undefined && wanted?.const === parser);
      }) ?? node
    );
  }
  if (node.anyOf !== undefined && value !== false) {
    return node.anyOf.find((form) => form.properties !== undefined) ?? node;
  }
  return node;
}

/** All places in the file where a key of this name exists, as dotted keys; `*` is any name. */
export function placesOfKey(node: SchemaNode, name: string, prefix = ''): readonly string[] {
  const places: string[] = [];
  for (const [key, below] of Object.entries(node.properties ?? {})) {
    if (key.toLowerCase() === name.toLowerCase().replace(/[-_]/g, '')) places.push(prefix + key);
    places.push(...placesOfKey(below, name, `${prefix}${key}.`));
  }
  const others = [node.additionalProperties, node.items];
  for (const below of others) {
    if (below !== undefined && below !== false)
      places.push(...placesOfKey(below, name, `${prefix}*.`));
  }
  for (const form of [...(node.anyOf ?? []), ...(node.oneOf ?? [])]) {
    places.push(...placesOfKey(form, name, prefix));
  }
  return [...new Set(places)];
}

/** A member of a map or a list, undefined if there is none. */
export function read(value: unknown, ...path: readonly PropertyKey[]): unknown {
  let within = value;
  for (const segment of path) {
    if (typeof within !== 'object' || within === null || !Object.hasOwn(within, segment)) {
      return undefined;
    }
    within = (within as Readonly<Record<PropertyKey, unknown>>)[segment];
  }
  return within;
}

function child(node: SchemaNode, segment: PropertyKey): SchemaNode | undefined {
  if (typeof segment === 'number') return node.items;
  const named = node.properties?.[String(segment)];
  if (named !== undefined) return named;
  return node.additionalProperties === false ? undefined : node.additionalProperties;
}
