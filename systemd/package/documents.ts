/**
 * The documents as they are installed: the folders of the sources, so that links between documents stay right. A link to
 * a file that is not installed becomes text.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** Of these folders the files themselves, without those of folders below them. */
const FOLDERS: readonly { readonly folder: string; readonly pattern: RegExp }[] = [
  { folder: 'config', pattern: /\.(?:md|yaml|json)$/ },
  { folder: 'systemd', pattern: /\.md$/ },
];
const FILES = ['README.md', 'CHANGELOG.md'];

/** Content by path below the directory of documents. */
export function installedDocuments(): ReadonlyMap<string, string> {
  const paths = [
    ...FILES,
    ...FOLDERS.flatMap(({ folder, pattern }) =>
      readdirSync(join(ROOT, folder))
        .filter((name) => pattern.test(name))
        .map((name) => `${folder}/${name}`),
    ),
  ];
  const installed = new Set(paths);
  return new Map(
    paths.map((path) => {
      const content = readFileSync(join(ROOT, path), 'utf8');
      return [path, path.endsWith('.md') ? withWorkingLinks(path, content, installed) : content];
    }),
  );
}

function withWorkingLinks(path: string, text: string, installed: ReadonlySet<string>): string {
  return text.replaceAll(
    /!?\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)\s]*)?\)/g,
    (link: string, label: string, to: string) => {
      const target = normalize(join(dirname(path), to));
      if (installed.has(target)) return link;
      // The licence file has another name in each package format, and pictures are not installed.
      if (target === 'LICENSE' || link.startsWith('!')) return label;
      const isNamed = label.replaceAll('`', '') === target;
      return isNamed ? `${label} of the sources` : `${label} (\`${target}\` of the sources)`;
    },
  );
}
