/** JSON of a document that may have ten thousand jobs, made in slices. */
import { inSlices } from './slices.ts';

/** A list with more entries is written in slices; a shorter one costs less than the look at the clock. */
const ENTRIES_MAX = 50;

export async function jsonText(document: unknown): Promise<string> {
  if (!hasLongList(document)) return `${JSON.stringify(document)}\n`;
  const members: string[] = [];
  for (const [key, value] of Object.entries(document)) {
    if (value === undefined) continue;
    const text = isLongList(value) ? await listText(value) : JSON.stringify(value);
    members.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${members.join(',')}}\n`;
}

async function listText(list: readonly unknown[]): Promise<string> {
  const texts: string[] = [];
  await inSlices(list, (entry) => texts.push(JSON.stringify(entry)));
  return `[${texts.join(',')}]`;
}

function hasLongList(document: unknown): document is object {
  return (
    typeof document === 'object' &&
    document !== null &&
    !Array.isArray(document) &&
    Object.values(document).some(isLongList)
  );
}

function isLongList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > ENTRIES_MAX;
}
