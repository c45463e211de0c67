/** A package script, with the shell functions that all package formats share put in place of `@NAME@`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const SHARED = join(import.meta.dirname, 'shared');

export function scriptlet(file: string): string {
  return readFileSync(file, 'utf8').replaceAll(/^@([a-z-]+)@$/gm, (_, name: string) =>
    withoutHeader(readFileSync(join(SHARED, `${name}.sh`), 'utf8')).trimEnd(),
  );
}

function withoutHeader(text: string): string {
  return text.replace(/^#!.*\n/, '').replace(/^# shellcheck.*\n/gm, '');
}
