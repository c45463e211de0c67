/**
 * `--from FILE|-`: many items at once, a JSON object a line. Blank lines are skipped. Every line that is no JSON
 * object is an error with its number, and then nothing is sent; the agent's errors name the same numbers.
 */
import { readFile } from 'node:fs/promises';

import { Refusal } from './client.ts';
import type { Client } from './client.ts';
import { CommandFailure } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { plain } from '../terminal/printable.ts';
import { print } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

interface Item {
  readonly line: number;
  readonly value: unknown;
}

interface ManyReply {
  readonly message: string;
  readonly refused: readonly {
    readonly index: number;
    readonly name: string;
    readonly code: string;
    readonly message: string;
  }[];
}

/** The agent takes at most so many in one request. */
const ITEMS_PER_REQUEST = 10_000;

/** Sends the lines to `path`. Resolves to the exit code: that of what was refused, if anything was. */
export async function sendLines(
  client: Client,
  path: string,
  from: string,
  terminal: Terminal,
): Promise<ExitCode> {
  const name = from === '-' ? '(stdin)' : from;
  const items = parseLines(await readText(from, terminal), name);
  const codes = new Set<string>();
  for (let at = 0; at < items.length; at += ITEMS_PER_REQUEST) {
    const part = items.slice(at, at + ITEMS_PER_REQUEST);
    const reply = await sendPart(client, path, part, name, at);
    for (const { index, name: job, code, message } of reply.refused) {
      codes.add(code);
      print(terminal, `${name}:${part[index]?.line ?? '?'} ${plain(job)}: ${plain(message)}`);
    }
    print(terminal, plain(reply.message));
  }
  if (codes.has('no-such-job')) return EXIT.noSuchJob;
  return codes.size === 0 ? EXIT.ok : EXIT.jobFailed;
}

async function sendPart(
  client: Client,
  path: string,
  part: readonly Item[],
  name: string,
  before: number,
): Promise<ManyReply> {
  try {
    return await client.post<ManyReply>(
      path,
      part.map(({ value }) => value),
    );
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const taken = before === 0 ? 'nothing was taken' : `only the first ${before} were taken`;
    const message = error.message
      .replaceAll(
        /(?:; )?\bbody\[(\d+)\](?:\.|: )?/g,
        (_whole, index: string) => `\n${name}:${part[Number(index)]?.line ?? '?'} `,
      )
      .trimStart();
    throw new CommandFailure(error.exitCode, `${taken}:\n${message}`, { cause: error });
  }
}

/** Throws a `CommandFailure` that names every bad line. */
function parseLines(text: string, name: string): readonly Item[] {
  const items: Item[] = [];
  const problems: string[] = [];
  text.split('\n').forEach((written, index) => {
    if (written.trim() === '') return;
    const line = index + 1;
    const parsed = parseObject(written);
    if (typeof parsed === 'string') problems.push(`${name}:${line} ${parsed}`);
    else items.push({ line, value: parsed.value });
  });
  if (problems.length > 0) {
    throw new CommandFailure(EXIT.usage, `nothing was taken:\n${problems.join('\n')}`);
  }
  if (items.length === 0) throw new CommandFailure(EXIT.usage, `${name} holds no line`);
  return items;
}

function parseObject(line: string): { readonly value: object } | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return `is no JSON: ${error instanceof Error ? error.message : 'unreadable'}`;
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? { value: value as object } : 'is no JSON object such as {"name": "copy"}';
}

async function readText(from: string, terminal: Terminal): Promise<string> {
  try {
    if (from !== '-') return await readFile(from, 'utf8');
    const pieces: Buffer[] = [];
    for await (const piece of terminal.stdin ?? []) pieces.push(Buffer.from(piece as Uint8Array));
    return Buffer.concat(pieces).toString('utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(EXIT.usage, `${from} cannot be read: ${reason}`, { cause: error });
  }
}
