/** The bytes that dd or tar will process, by the arguments of the job's command. */
import { resolve } from 'node:path';
import { bytesOfDd, bytesOfTar } from '../../core/command-line/archive-size.ts';
import type { ExpectedBytes } from '../../core/command-line/archive-size.ts';
import type { Tool } from '../../core/command-line/tools.ts';
import type { Launch } from '../process/launch-spec.ts';
import { measure } from './tree-size.ts';

const BLOCK = 512;
/** ustar and GNU: a longer name takes a header and a block of its own. */
const NAME_CHARACTERS_MAX = 100;

/** Undefined: the arguments do not show it, or it cannot be measured. Never rejects. */
export async function expectedBytes(
  tool: Tool | undefined,
  launch: Launch,
  closing: AbortSignal,
): Promise<number | undefined> {
  const expected = expectedOf(tool);
  if (expected.bytes !== undefined) return expected.bytes;
  const base = resolve(launch.cwd, expected.directory ?? '.');
  const paths = expected.paths ?? [];
  const sizes = await Promise.all(
    paths.map((path) => sizeOf(resolve(base, path), expected.isArchive === true, launch, closing)),
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
  launch: Launch,
  closing: AbortSignal,
): Promise<number | undefined> {
  const options = { launch, closing, ...(inArchive ? { entryBytes: tarBytes } : {}) };
  const { bytes, isWhole } = await measure(path, options);
  return isWhole && bytes > 0 ? bytes : undefined;
}

/** A header, and the content in whole blocks. */
function tarBytes(size: number, name: string): number {
  const forName = name.length > NAME_CHARACTERS_MAX ? 2 * BLOCK : 0;
  return BLOCK + forName + Math.ceil(size / BLOCK) * BLOCK;
}
