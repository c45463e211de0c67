/** Everything that is installed, as a tree below `/`. The package and the tarball are both made of it. */
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import type { Build } from './build.ts';
import type { Bundle } from './bundle.ts';
import { changelog } from './changelog.ts';
import { COPYRIGHT, thirdPartyLicences } from './copyright.ts';
import { addRuntime, hostArchitecture } from './runtime.ts';

const ROOT = join(import.meta.dirname, '../..');
const HOME = 'usr/lib/migration-agent';
const DOC = 'usr/share/doc/migration-agent';

export function stage(tree: string, bundled: Bundle, build: Build): void {
  const put = (path: string, content: string | Buffer): void => {
    mkdirSync(join(tree, dirname(path)), { recursive: true });
    writeFileSync(join(tree, path), content);
  };
  const take = (from: string, to: string): void => put(to, readFileSync(join(ROOT, from)));

  cpSync(bundled.directory, join(tree, HOME, 'app'), { recursive: true });
  // The demo starts it as it stands (type stripping), where rsync is missing.
  take('src/cli/demo/copy-program.ts', `${HOME}/app/copy-program.ts`);
  take('systemd/package/launcher.sh', `${HOME}/migration-agent`);
  addRuntime(join(tree, HOME), build.architecture);
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  symlinkSync('../lib/migration-agent/migration-agent', join(tree, 'usr/bin/migration-agent'));

  for (const unit of [
    'migration-agent.service',
    'migration-agent.socket',
    'migration-jobs.slice',
  ]) {
    take(`systemd/${unit}`, `usr/lib/systemd/system/${unit}`);
  }
  // For the manager of the agent's own user, where that one starts the jobs (README.md).
  take('systemd/migration-jobs.slice', 'usr/lib/systemd/user/migration-jobs.slice');
  take('systemd/migration-agent.sysusers', 'usr/lib/sysusers.d/migration-agent.conf');
  take('systemd/migration-agent.tmpfiles', 'usr/lib/tmpfiles.d/migration-agent.conf');
  take('systemd/package/config.yaml', 'etc/migration-agent/config.yaml');

  for (const name of readdirSync(join(ROOT, 'config'))) {
    take(`config/${name}`, `${DOC}/examples/${name}`);
  }
  take('systemd/strict.conf', `${DOC}/examples/strict.conf`);
  take('README.md', `${DOC}/README.md`);
  take('systemd/README.md', `${DOC}/systemd.md`);
  put(`${DOC}/copyright`, COPYRIGHT);
  const licences = thirdPartyLicences(bundled.packages, build.architecture);
  put(`${DOC}/third-party-licences.gz`, gzip(licences));
  put(`${DOC}/changelog.gz`, gzip(changelog(build)));

  put(
    'usr/share/man/man1/migration-agent.1.gz',
    gzip(readFileSync(join(ROOT, 'systemd/migration-agent.1'), 'utf8')),
  );
  const completions = 'usr/share/bash-completion/completions/migration-agent';
  put(completions, run('completion', 'bash'));
  put('usr/share/fish/vendor_completions.d/migration-agent.fish', run('completion', 'fish'));

  /** Runs what was bundled, on this machine's own Node: the other architecture's would not run here. */
  function run(...message: readonly string[]): string {
    const node = join(ROOT, `node_modules/node-linux-${hostArchitecture()}/bin/node`);
    return execFileSync(node, [join(bundled.directory, 'main.mjs'), ...message], {
      encoding: 'utf8',
      env: { NO_COLOR: '1', COLUMNS: '80', PATH: process.env['PATH'] },
    });
  }
}

/** Without a name and a time in it. */
function gzip(text: string): Buffer {
  return gzipSync(text, { level: 9 });
}
