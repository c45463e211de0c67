/** A file that a comment, a string or a document names exists: `name.ts`, `folder/name.ts` and `NAME.md`. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const files = globSync(['*.*', '{src,test,config,systemd,.github}/**/*.*', '.ci/*'], {
  exclude: ['node_modules/**', 'package-lock.json'],
}).filter((file) => /\.(ts|js|md|json|ya?ml|sh|py|pl|service|conf)$|^\.ci\//.test(file));

const NAME = /[\w@*./{}$-]*[\w*}]\.(?:ts|md)(?![\w-])/g;

/** Names that are no file of the repository, and why. */
const OTHERS: Readonly<Record<string, string>> = {
  'name.ts': 'an example of this file',
  'folder/name.ts': 'an example of this file',
  'NAME.md': 'an example of this file',
  'src/file.ts': 'an example of a command line in test/core/lib/secret-corpus.ts',
  'src/store/store.test.ts': 'an example of a command line in test/core/lib/secret-corpus.ts',
  '.test.ts': 'the ending of a name in test/mutation/tests-of.ts',
  'page/page.ts': 'the path of a URL of the status page',
  'a.ts': 'an example of test/mutation',
  'src/control/http-listener.ts': 'a former place, in test/security/attack.config.ts',
  'src/control/server.ts': 'a former place, in test/security/attack.config.ts',
  'src/core/secrets.ts': 'a former place, in test/security/attack.config.ts',
  'src/jobs/job-user.ts': 'a former place, in test/security/attack.config.ts',
  'agent-api.d.ts': 'a file that the user of the API generates',
};

/** A pattern names no single file, and an absolute path names a file of a host. */
function isOfRepository(name: string): boolean {
  return !/[*{}]|^\//.test(name) && OTHERS[name] === undefined;
}

function isThere(name: string): boolean {
  const path = name.replace(/^.*\.\.?\//, '');
  return files.some((file) => file === path || file.endsWith(`/${path}`));
}

function missingNames(text: string): string[] {
  // The compiler checks imports.
  const prose = text.replace(/\bfrom '[^']*'|\bimport\('[^']*'\)|^import '[^']*'/gm, '');
  const names = [...prose.matchAll(NAME)].map(([name]) => name);
  return names.filter((name) => isOfRepository(name) && !isThere(name));
}

test('every file that a comment, a string or a document names is one of the repository', () => {
  expect(files.length).toBeGreaterThan(500);
  const missing = files.flatMap((file) =>
    missingNames(readFileSync(file, 'utf8')).map((name) => `${file}: ${name}`),
  );
  expect(missing).toEqual([]);
});
