/** Everything that is installed, as a tree below `/`. All package formats are made of it. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { hostArchitecture } from './architecture.ts';
import type { Bundle } from './bundle.ts';
import { changelog } from './changelog.ts';
import { COPYRIGHT, thirdPartyLicences } from './copyright.ts';
import { installedDocuments } from './documents.ts';
import type { PackageBuild } from './package-build.ts';
import { addRuntime } from './runtime.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Programs that are not for the command line. SELinux labels by path: what lies here may be run (bin_t). */
const HOME = 'usr/libexec/migration-agent';
const SHARE = 'usr/share/migration-agent';
const DOCUMENTS = 'usr/share/doc/migration-agent';

export function stage(tree: string, bundled: Bundle, sbom: string, build: PackageBuild): void {
  const put = (path: string, content: string | Buffer): void => {
    mkdirSync(join(tree, dirname(path)), { recursive: true });
    writeFileSync(join(tree, path), content);
  };
  const copy = (from: string, to: string): void => put(to, readFileSync(join(ROOT, from)));

  cpSync(bundled.directory, join(tree, HOME, 'app'), { recursive: true });
  // The demo runs it as it stands (type stripping) if rsync is missing.
  copy('src/cli/demo/copy-program.ts', `${HOME}/app/copy-program.ts`);
  copy('systemd/package/launcher.sh', `${HOME}/migration-agent`);
  addRuntime(join(tree, HOME), build.architecture);
  // launcher.sh says why.
  mkdirSync(join(tree, HOME, 'no-certificates'));
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  symlinkSync('../libexec/migration-agent/migration-agent', join(tree, 'usr/bin/migration-agent'));

  stageUnits(copy);
  // The package formats put it where the distribution looks for it.
  copy('systemd/package/environment', `${SHARE}/environment`);
  copy('systemd/package/config.yaml', `${SHARE}/config.yaml`);
  copy('systemd/package/config.yaml', 'etc/migration-agent/config.yaml');

  for (const [path, content] of installedDocuments()) put(`${DOCUMENTS}/${path}`, content);
  put(`${DOCUMENTS}/copyright`, COPYRIGHT);
  const licences = thirdPartyLicences(bundled.packages, build.architecture);
  put(`${DOCUMENTS}/third-party-licences.gz`, gzip(licences));
  put(`${DOCUMENTS}/changelog.gz`, gzip(changelog(build)));
  put(`${DOCUMENTS}/sbom.cdx.json`, sbom);
  put(
    'usr/share/man/man1/migration-agent.1.gz',
    gzip(readFileSync(join(ROOT, 'systemd/migration-agent.1'), 'utf8')),
  );
  put('usr/share/bash-completion/completions/migration-agent', run('completion', 'bash'));
  put('usr/share/zsh/site-functions/_migration-agent', run('completion', 'zsh'));
  put('usr/share/fish/vendor_completions.d/migration-agent.fish', run('completion', 'fish'));

  /** Runs what was bundled, on this machine's own Node.js: the other architecture's would not run here. */
  function run(...words: readonly string[]): string {
    const node = join(ROOT, `node_modules/node-linux-${hostArchitecture()}/bin/node`);
    return execFileSync(node, [join(bundled.directory, 'main.mjs'), ...words], {
      encoding: 'utf8',
      env: { NO_COLOR: '1', COLUMNS: '80', PATH: process.env['PATH'] },
    });
  }
}

function stageUnits(copy: (from: string, to: string) => void): void {
  for (const unit of [
    'migration-agent.service',
    'migration-agent.socket',
    'migration-jobs.slice',
  ]) {
    copy(`systemd/${unit}`, `usr/lib/systemd/system/${unit}`);
  }
  // For the manager of the agent's own user, if that one starts the jobs (README.md).
  copy('systemd/migration-jobs.slice', 'usr/lib/systemd/user/migration-jobs.slice');
  copy(
    'systemd/migration-agent-generator',
    'usr/lib/systemd/system-generators/migration-agent-generator',
  );
  copy('systemd/migration-agent.sysusers', 'usr/lib/sysusers.d/migration-agent.conf');
  copy('systemd/migration-agent.tmpfiles', 'usr/lib/tmpfiles.d/migration-agent.conf');
  for (const name of readdirSync(join(ROOT, 'systemd/drop-ins'))) {
    copy(`systemd/drop-ins/${name}`, `${SHARE}/drop-ins/${name}`);
  }
}

/** Without a name and a time in it. */
function gzip(text: string): Buffer {
  return gzipSync(text, { level: 9 });
}
