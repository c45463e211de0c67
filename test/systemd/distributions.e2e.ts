/**
 * The packages on clean Debian 11 (systemd 247) and Debian 12 (systemd 252): installed, started, upgraded while a job runs,
 * removed; as deb, rpm and tarball. systemd 247 lacks directives that the units rely on.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { debianRoot } from '../support/debian-root.ts';
import { whyNoBox } from '../support/systemd-box.ts';
import { until } from '../support/until.ts';
import { InstalledHost, SERVICE, configuration } from './installed-host.ts';

const CONFIG = '/etc/migration-agent/config.yaml';
const KEYS = '[default]\naws_access_key_id = AKIDBOX\naws_secret_access_key = not-a-secret\n';
const SOCKET = '/run/migration-agent/agent.sock';

const NODE = '/usr/libexec/migration-agent/node';

/** A company's certificate authority, installed as Debian has it, and a server's certificate by it. */
const AUTHORITY = [
  `openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=company-ca -days 2 -keyout /tmp/ca.key \\
     -out /usr/local/share/ca-certificates/company.crt 2>/dev/null`,
  'update-ca-certificates >/dev/null 2>&1',
  `openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout /tmp/server.key -out /tmp/server.csr 2>/dev/null
   echo subjectAltName=IP:127.0.0.1 >/tmp/server.ext
   openssl x509 -req -in /tmp/server.csr -CA /usr/local/share/ca-certificates/company.crt -CAkey /tmp/ca.key \\
     -CAcreateserial -days 2 -extfile /tmp/server.ext -out /tmp/server.crt 2>/dev/null`,
];

/** Notes the User-Agent of each request that trusts its certificate. */
const TLS_SERVER = `
const fs = require('node:fs');
const tls = { key: fs.readFileSync('/tmp/server.key'), cert: fs.readFileSync('/tmp/server.crt') };
require('node:https').createServer(tls, (request, answer) => {
  fs.appendFileSync('/tmp/user-agents', request.headers['user-agent'] + '\\n');
  answer.writeHead(500).end();
}).listen(4581);`;

const RELEASES = (
  [
    ['bullseye', 247],
    ['bookworm', 252],
  ] as const
).map(([release, systemd]) => {
  const made = whyNoBox === '' ? debianRoot(release) : { reason: whyNoBox };
  return { release, systemd, ...made };
});

for (const { release, systemd, ...made } of RELEASES) {
  const skipped = 'reason' in made ? ` (skipped: ${made.reason})` : '';
  describe.skipIf('reason' in made)(`on ${release}${skipped}`, () => {
    let host: InstalledHost;

    beforeAll(async () => {
      host = await InstalledHost.boot('root' in made ? made.root : '/');
      host.build('9.0.1');
      host.build('9.0.2');
    });

    afterEach(async () => {
      const log = await host.log();
      if (log !== '') process.stdout.write(`${log.replaceAll(/^/gm, `    ${release} | `)}\n`);
    });

    afterAll(() => host.close());

    const isActive = async (unit: string) =>
      (await host.run('systemctl', 'is-active', unit)).stdout.trim();

    /** AWS is the simulator of the installed package. */
    async function configureAndStart(): Promise<void> {
      await host.output(
        'systemd-run',
        '--unit=aws',
        '--collect',
        '-q',
        'migration-agent',
        'simulate',
      );
      await host.write('/etc/credstore/aws-credentials', KEYS, '600');
      await host.write(CONFIG, configuration(['copy', 'other']), '640');
      await host.output('chgrp', 'migration-agent', CONFIG);
      await host.output('systemctl', 'restart', SERVICE);
      await until('a status line', async () =>
        /; \d+ running/.test(await host.property('StatusText')),
      );
    }

    async function startJob(): Promise<string> {
      const processes = await host.start('copy');
      await host.untilJob(
        'copy',
        ({ destinations }) => destinations.migrationHub?.lastAcceptedAt !== undefined,
      );
      return processes;
    }

    async function expectAdopted(processes: string, exitCode: number): Promise<void> {
      await until('the new version', async () => {
        const { code } = await host.run('migration-agent', 'status');
        return code === 0 && (await host.status()).agent.version === '9.0.2';
      });
      expect(await host.processesOf('copy')).toBe(processes);
      await host.end('copy', exitCode);
      expect(await host.untilJob('copy', ({ state }) => state === 'failed')).toMatchObject({
        exitCode,
      });
      expect(await host.output('cat', CONFIG)).toContain('progressUpdateStream: box');
    }

    async function removeRefusedThenDone(...command: string[]): Promise<void> {
      await host.start('other');
      const refused = await host.run(...command);
      process.stdout.write(`${refused.stderr}${refused.stdout}`.replaceAll(/^/gm, '    '));
      expect(refused.code).not.toBe(0);
      expect(refused.stderr + refused.stdout).toMatch(/these jobs run[^]*other/);
      expect(await isActive(SERVICE)).toBe('active');
      await host.output('migration-agent', 'cancel', 'other');
      await host.run('migration-agent', 'wait', 'other', '--for', 'delivered');
      await host.output(...command);
      expect((await host.run('migration-agent', '--version')).code).not.toBe(0);
      expect(await isActive('migration-agent.socket')).not.toBe('active');
      await host.run('systemctl', 'stop', 'aws');
      await host.run('systemctl', 'reset-failed');
    }

    test(`has systemd ${systemd}; the deb installs, enabled and not started`, async () => {
      expect(await host.output('systemctl', '--version')).toMatch(
        new RegExp(`^systemd ${systemd} `),
      );
      const text = await host.output('dpkg', '--install', host.build('9.0.1'));
      process.stdout.write(`${text.replaceAll(/^/gm, '    ')}\n`);
      expect(await host.output('systemctl', 'is-enabled', SERVICE)).toBe('enabled');
      expect(await isActive(SERVICE)).toBe('inactive');
    });

    test('starts; keys of /etc/credstore reach the agent, and nobody else can read its copy', async () => {
      await configureAndStart();
      await startJob();
      expect(await host.reportsOf('copy')).toContainEqual({
        status: 'IN_PROGRESS',
        nextUpdateS: 300,
      });
      const environment = await host.output(
        ...['sh', '-c', `tr '\\0' '\\n' < /proc/${await host.property('MainPID')}/environ`],
      );
      const [, directory = ''] = /^CREDENTIALS_DIRECTORY=(.*)$/m.exec(environment) ?? [];
      const file = `${directory}/aws-credentials`;
      expect(await host.output('cat', file)).toContain('AKIDBOX');
      const asNobody = await host.run('setpriv', '--reuid=65534', '--clear-groups', 'cat', file);
      expect(asNobody.code).not.toBe(0);
      expect(
        await host.run('setpriv', '--reuid=65534', '--clear-groups', 'touch', `${directory}/x`),
      ).toMatchObject({ code: 1 });
    });

    test('doctor names the directives that this systemd lacks, and what is lost', async () => {
      const { stdout } = await host.run('migration-agent', 'doctor', '--json');
      const { checks } = JSON.parse(stdout) as { checks: { check: string; message: string }[] };
      const found = checks.find(({ check }) => check === 'systemd')?.message;
      expect(found).toContain(`systemd ${systemd}`);
      if (systemd < 249) expect(found).toContain('commands that wait during a restart');
      expect(found).not.toMatch(/starts the agent again|not loaded/);
    });

    test('the environment file and the certificate authorities of the system count', async () => {
      for (const command of AUTHORITY) await host.output('sh', '-ec', command);
      await host.output('systemd-run', '-q', '--unit=tls', '--collect', NODE, '-e', TLS_SERVER);
      await host.write(
        '/etc/default/migration-agent',
        'AWS_SDK_UA_APP_ID=acme-app\nAWS_ENDPOINT_URL_DATA_PIPELINE=https://127.0.0.1:4581\n',
      );
      const pipeline = configuration(
        ['copy', 'other'],
        'dataPipeline: { region: us-east-1, workerGroups: [files] }',
      );
      await host.write(CONFIG, pipeline.replace(/, dataPipeline: "[^"]*"/, ''), '640');
      await host.output('chgrp', 'migration-agent', CONFIG);
      await host.output('systemctl', 'restart', SERVICE);
      await until(
        'a call over TLS',
        async () => (await host.run('test', '-s', '/tmp/user-agents')).code === 0,
      );
      expect(await host.output('cat', '/tmp/user-agents')).toContain('app/acme-app');
      await host.output('rm', '/etc/default/migration-agent');
      await host.run('systemctl', 'stop', 'tls');
      await host.write(CONFIG, configuration(['copy', 'other']), '640');
      await host.output('chgrp', 'migration-agent', CONFIG);
      await host.output('systemctl', 'restart', SERVICE);
    });

    test('a restart keeps the job; commands are answered during it, or after one repetition', async () => {
      const processes = await host.processesOf('copy');
      const pid = await host.property('MainPID');
      await host.output('systemctl', 'restart', SERVICE);
      expect((await host.run('migration-agent', 'status')).code).toBe(0);
      expect(await host.property('MainPID')).not.toBe(pid);
      expect(await host.processesOf('copy')).toBe(processes);
    });

    test('stopped means stopped: no command starts the agent again, the keys are gone', async () => {
      const processes = await host.processesOf('copy');
      await host.output('systemctl', 'stop', SERVICE);
      await until(
        'the socket is closed',
        async () => (await isActive('migration-agent.socket')) === 'inactive',
      );
      expect((await host.run('migration-agent', 'status')).code).toBe(4);
      expect((await host.run('sh', '-c', `test -S ${SOCKET}`)).code).toBe(1);
      expect(await isActive(SERVICE)).toBe('inactive');
      expect(
        (
          await host.run(
            'sh',
            '-c',
            'cat /run/credentials/migration-agent.service/* /run/migration-agent-credentials/*',
          )
        ).code,
      ).not.toBe(0);
      expect(await host.processesOf('copy')).toBe(processes);
      await host.output('systemctl', 'start', SERVICE);
      await host.untilJob('copy', ({ state }) => state === 'running');
    });

    test('stopped between two attempts of a service that fails: it stays stopped', async () => {
      await host.write(
        '/etc/systemd/system/migration-agent.service.d/broken.conf',
        '[Service]\nExecStartPre=false\n',
      );
      await host.output('systemctl', 'daemon-reload');
      await host.run('systemctl', 'restart', SERVICE);
      await until(
        'the pause before the next attempt',
        async () => (await host.property('SubState')) === 'auto-restart',
      );
      await host.output('systemctl', 'stop', SERVICE);
      expect((await host.run('migration-agent', 'status')).code).toBe(4);
      await host.output('rm', '/etc/systemd/system/migration-agent.service.d/broken.conf');
      await host.output('systemctl', 'daemon-reload');
      expect(await isActive(SERVICE)).toMatch(/^(?:inactive|failed)$/);
      expect((await host.run('migration-agent', 'status')).code).toBe(4);
      await host.output('systemctl', 'start', SERVICE);
      await host.untilJob('copy', ({ state }) => state === 'running');
    });

    test('deb: an upgrade keeps the job, a removal is refused while a job runs', async () => {
      const processes = await host.processesOf('copy');
      await host.output('dpkg', '--install', host.build('9.0.2'));
      await expectAdopted(processes, 4);
      await removeRefusedThenDone('dpkg', '--remove', 'migration-agent');
      await host.output('dpkg', '--purge', 'migration-agent');
      expect((await host.run('test', '-e', '/var/lib/migration-agent')).code).toBe(1);
    });

    test('rpm: installed, upgraded with a job, removal refused while a job runs', async () => {
      // dpkg owns the libraries here, so rpm cannot know that they are there.
      const install = (version: string) =>
        host.output('rpm', '-U', '--nodeps', host.build(version, 'rpm'));
      process.stdout.write(`${(await install('9.0.1')).replaceAll(/^/gm, '    ')}\n`);
      expect(await host.output('stat', '-c', '%U:%G %a', CONFIG)).toBe('root:migration-agent 640');
      await configureAndStart();
      const processes = await startJob();
      await install('9.0.2');
      await expectAdopted(processes, 5);
      await removeRefusedThenDone('rpm', '--erase', 'migration-agent');
      // The operator's configuration stays under the name that rpm gives it.
      expect(await host.output('sh', '-c', 'cat /etc/migration-agent/config.yaml*')).toContain(
        'box',
      );
    });

    test('tarball: installed and upgraded with a job, as README.md has it', async () => {
      await host.output('rm', '-rf', '/etc/migration-agent', '/var/lib/migration-agent');
      const commands =
        /tar -xf [^`]*?systemctl restart migration-agent/.exec(
          host.document('systemd/README.md'),
        )?.[0] ?? '';
      expect(commands.split('\n')).toHaveLength(5);
      const install = (version: string) =>
        host.output(
          'sh',
          '-ec',
          commands.replace(/migration-agent-\S+\.tar\.xz/, host.build(version, 'tar')),
        );
      await install('9.0.1');
      await configureAndStart();
      const processes = await startJob();
      await install('9.0.2');
      await expectAdopted(processes, 6);
    });
  });
}
