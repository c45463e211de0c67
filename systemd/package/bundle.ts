/** The program as a few files, without node_modules. Commands load only what they need, as they do from the sources. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import { readPageFiles } from '../../src/control/page/page-files.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface Bundle {
  readonly directory: string;
  /** Folders of the packages that went into it, for their licences. */
  readonly packages: readonly string[];
}

export async function bundle(directory: string, version: string): Promise<Bundle> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    // The workers are processes of their own, which the program finds beside its own file.
    entryPoints: {
      main: 'src/main.ts',
      'file-system-worker': 'src/cli/file-system/file-system-worker.ts',
      'status-file-worker': 'src/jobs/tracked/status-file-worker.ts',
    },
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    // Native code: it lies beside the bundle (runtime.ts).
    external: ['koffi'],
    // Names and lines stay whole, so that stack traces can be read. Licences are in a file of their own.
    minifySyntax: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    plugins: [versionOnly(version), pageFiles(), httpWithoutFetch()],
    // CommonJS packages call `require` for modules of Node.js.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module';\nconst require = makeRequire(import.meta.url);",
    },
  });
  // `completion` prints them from beside its own file.
  for (const shell of ['bash', 'fish', 'zsh']) {
    const script = `migration-agent.${shell}`;
    copyFileSync(join(ROOT, 'src/cli/completion', script), join(directory, script));
  }
  const packages = new Set<string>();
  for (const input of Object.keys(metafile.inputs)) {
    const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
    if (folder !== undefined) packages.add(join(ROOT, folder));
  }
  return { directory, packages: [...packages].toSorted() };
}

/** The status page lies beside its sources in a checkout; in the bundle its files are texts, scripts without their types. */
function pageFiles(): Plugin {
  return {
    name: 'page-files',
    setup(esbuild) {
      esbuild.onLoad({ filter: /\/page-files\.ts$/ }, () => ({
        contents: `const FILES = ${JSON.stringify(readPageFiles())};\nexport const readPageFiles = () => FILES;`,
        loader: 'js',
      }));
    },
  };
}

/** The program reads only its version from package.json. */
function versionOnly(version: string): Plugin {
  return {
    name: 'version-only',
    setup(esbuild) {
      esbuild.onLoad({ filter: /package\.json$/ }, ({ path }) =>
        path === join(ROOT, 'package.json')
          ? { contents: JSON.stringify({ version }), loader: 'json' }
          : undefined,
      );
    },
  };
}

/**
 * Node.js reads every export of `node:http` for a module that imports one, and some of them load the whole of undici: a tenth
 * of what a start costs, and 3 MB. The program and the SDK use none of those.
 */
function httpWithoutFetch(): Plugin {
  const names = [
    ...['Agent', 'ClientRequest', 'IncomingMessage', 'OutgoingMessage', 'Server', 'ServerResponse'],
    ...[
      'METHODS',
      'STATUS_CODES',
      'createServer',
      'get',
      'globalAgent',
      'maxHeaderSize',
      'request',
    ],
  ].join(', ');
  return {
    name: 'http-without-fetch',
    setup(esbuild) {
      esbuild.onResolve({ filter: /^(?:node:)?http$/ }, ({ kind }) =>
        kind === 'import-statement' || kind === 'dynamic-import'
          ? { path: 'http', namespace: 'builtin' }
          : undefined,
      );
      esbuild.onLoad({ filter: /^http$/, namespace: 'builtin' }, () => ({
        contents: `const http = process.getBuiltinModule('node:http');\nexport default http;\nexport const { ${names} } = http;`,
        loader: 'js',
      }));
    },
  };
}
