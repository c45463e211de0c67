/**
 * The test files that have a process for themselves: those that exchange modules, those that put a document in place of the
 * globals, and those that block threads of Node's pool, which no other file of the process would have then.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const SIGNS = /vi\.mock\(|mkfifo|HangingMount|small-document/;

/** Paths below `root`. */
export function filesWithOwnProcess(root: string): string[] {
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join('test', file))
    .filter((file) => SIGNS.test(readFileSync(join(root, file), 'utf8')));
}
