/** The bytes that dd or tar will process, by the arguments of the job's command. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { bytesOfDd, bytesOfTar } from '../../core/model/archive-size.ts';
import type { ExpectedBytes } from '../../core/model/archive-size.ts';
import type { Tool } from '../../core/model/command-tools.ts';
import { measure } from './size.ts';

const BLOCK = 512;
/** ustar and GNU: a longer name takes a header and a block of its own. */
const NAME_CHARACTERS_MAX = 100;

/** Undefined: the arguments do not show it, or it cannot be measured. Never rejects. */
export async function expectedBytes(
  tool: Tool | undefined,
  directory: string,
  closing: AbortSignal,
): Promise<number | undefined> {
  const expected = expectedOf(tool);
  if (expected.bytes !== undefined) return expected.bytes;
  const base = resolve(directory, expected.directory ?? '.');
  const paths = expected.paths ?? [];
  const sizes = await Promise.all(
    paths.map((path) => sizeOf(resolve(base, path), expected.isArchive === true, closing)),
  );
  const total = sizes.reduce<number>((all, size) => all + (size ?? NaN), 0);
  const rest = total - (expected.skipped ?? 0);
  return paths.length > 0 && rest > 0 ? rest : undefined;
}

function expectedOf(tool: Tool | undefined): ExpectedBytes {
  if (tool?.name === 'dd') return bytesOfDd(tool.args);
  return tool?.name === 'tar' ? bytesOfTar(tool.args) : {};
}

async function sizeOf(
  path: string,
  inArchive: boolean,
  closing: AbortSignal,
): Promise<number | undefined> {
  if (!inArchive) {
    const entry = await stat(path).catch(() => undefined);
    return entry?.isFile() === true ? entry.size : undefined;
  }
  const { bytes, isWhole } = await measure(path, closing, tarBytes);
  return isWhole && bytes > 0 ? bytes : undefined;
}

/** A header, and the content in whole blocks. */
function tarBytes(size: number, name: string): number {
  const forName = name.length > NAME_CHARACTERS_MAX ? 2 * BLOCK : 0;
  return BLOCK + forName + Math.ceil(size / BLOCK) * BLOCK;
}
