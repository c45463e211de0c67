/**
 * A lint rule: no circle of imports, neither of files nor of folders, types included. A circle that only types close
 * costs nothing when the program runs, but a reader who wants to understand one file of it has to read them all.
 *
 * The graph is read from the disk once in a run of the linter; for the file that is linted, its text as given counts.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const ROOT = import.meta.dirname;
const TREES = ['src', 'systemd/package'];
const IMPORT =
  /^\s*(?:import|export)\b[^'"]*?\bfrom\s+['"](\.[^'"]+)['"]|^\s*import\s+['"](\.[^'"]+)['"]/gm;

let onDisk;

export const circles = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      files: 'A circle of imports: {{path}}.',
      folders: 'A circle of folders: {{path}}.',
    },
  },
  create(context) {
    const file = relative(ROOT, context.filename);
    if (!TREES.some((tree) => file.startsWith(`${tree}/`))) return {};
    onDisk ??= readGraph();
    const graph = new Map(onDisk).set(file, importsOf(file, context.sourceCode.text));
    const folders = folderGraph(graph);
    return {
      'ImportDeclaration, ExportNamedDeclaration[source], ExportAllDeclaration'(node) {
        const target = targetOf(file, node.source.value);
        if (target === undefined) return;
        const way = wayBack(graph, target, file);
        if (way !== undefined) {
          context.report({ node, messageId: 'files', data: { path: [file, ...way].join(' → ') } });
        }
        const [from, to] = [folderOf(file), folderOf(target)];
        const isOfFiles = from === to || (from === file && to === target);
        const folderWay = isOfFiles ? undefined : wayBack(folders, to, from);
        if (folderWay !== undefined) {
          const path = [from, ...folderWay].join(' → ');
          context.report({ node, messageId: 'folders', data: { path } });
        }
      },
    };
  },
};

function readGraph() {
  const graph = new Map();
  for (const tree of TREES) {
    for (const name of readdirSync(join(ROOT, tree), { recursive: true })) {
      if (!name.endsWith('.ts')) continue;
      const file = `${tree}/${name}`;
      graph.set(file, importsOf(file, readFileSync(join(ROOT, file), 'utf8')));
    }
  }
  return graph;
}

function importsOf(file, text) {
  const targets = [...text.matchAll(IMPORT)].map(([, from, bare]) => targetOf(file, from ?? bare));
  return new Set(targets.filter((target) => target !== undefined));
}

function targetOf(file, specifier) {
  if (!specifier.startsWith('.')) return undefined;
  const target = relative(ROOT, resolve(ROOT, dirname(file), specifier));
  return target.endsWith('.ts') ? target : undefined;
}

/** A file that stands directly in src, or in a folder of src beside other folders, is a folder of its own. */
function folderOf(file) {
  return dirname(file) === 'src' || hasFolders(dirname(file)) ? file : dirname(file);
}

const withFolders = new Map();

function hasFolders(folder) {
  let has = withFolders.get(folder);
  if (has === undefined) {
    has = readdirSync(join(ROOT, folder), { withFileTypes: true }).some((each) =>
      each.isDirectory(),
    );
    withFolders.set(folder, has);
  }
  return has;
}

function folderGraph(graph) {
  const folders = new Map();
  for (const [file, targets] of graph) {
    const from = folderOf(file);
    if (!folders.has(from)) folders.set(from, new Set());
    for (const target of targets) {
      const to = folderOf(target);
      if (to !== from) folders.get(from).add(to);
    }
  }
  return folders;
}

/** A shortest way from `start` to `end`, both included; `undefined`: there is none. */
function wayBack(graph, start, end) {
  const cameFrom = new Map([[start, undefined]]);
  for (const node of cameFrom.keys()) {
    if (node === end) {
      const way = [];
      for (let at = node; at !== undefined; at = cameFrom.get(at)) way.unshift(at);
      return way;
    }
    for (const next of graph.get(node) ?? []) if (!cameFrom.has(next)) cameFrom.set(next, node);
  }
  return undefined;
}
