/** The fault script: a YAML file with a list of rules, told with all its problems at once. */
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { faultRuleSchema, type Fault } from './faults.ts';

/** A script that cannot be used. The message names every problem as `FILE:LINE:COLUMN KEY: what is wrong`. */
export class FaultFileError extends Error {
  override readonly name = 'FaultFileError';
}

const fileSchema = z.array(faultRuleSchema);

/** `name` is how the file is called in messages. An empty file is an empty script. */
export function parseFaultFile(text: string, name: string): readonly Fault[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const placeAt = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    const told = document.errors.map(
      (error) => `${placeAt(error.pos[0])} ${error.message.split('\n')[0] ?? ''}`,
    );
    throw new FaultFileError(told.join('\n'));
  }
  const read = fileSchema.safeParse(document.toJS() ?? []);
  if (read.success) return read.data;
  const told = read.error.issues.map((issue) => {
    const node: unknown = document.getIn(issue.path.slice(0, -1), true);
    const range = rangeOf(document.getIn(issue.path, true)) ?? rangeOf(node) ?? 0;
    return `${placeAt(range)} ${issue.path.join('.')}: ${issue.message}`;
  });
  throw new FaultFileError(told.join('\n'));
}

function rangeOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node)) return undefined;
  return Array.isArray(node.range) && typeof node.range[0] === 'number' ? node.range[0] : undefined;
}
