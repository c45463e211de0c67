/** The files of the page as the browser gets them. A package has them in the bundle instead (systemd/package/bundle.ts). */
import { readFileSync, readdirSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';

const DIRECTORY = join(import.meta.dirname, '../browser');

/** By name: `page.ts` is a script without its types. */
export function readPageFiles(): Readonly<Record<string, string>> {
  const names = readdirSync(DIRECTORY).filter((name) => /\.(?:ts|css|html)$/.test(name));
  return Object.fromEntries(
    names.map((name) => {
      const text = readFileSync(join(DIRECTORY, name), 'utf8');
      return [name, name.endsWith('.ts') ? stripTypeScriptTypes(text) : text];
    }),
  );
}
