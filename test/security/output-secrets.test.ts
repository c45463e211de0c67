/** Secrets in a job's output never leave the host: not in a detail, not in the end of its errors, however output arrives. */
import { expect, test } from 'vitest';
import { makeRun, sh, until, withHosts } from '../jobs/support.ts';

test('a pattern whose group holds nothing but the secret', () =>
  withHosts(async (newHost) => {
    const host = newHost();
    const script = 'echo "1/2 login app password=s3cretXy"; sleep 600';
    const pattern = String.raw`(?<done>\d+)/(?<total>\d+) login app password=(?<detail>.*)`;
    host.host.start(makeRun(sh(script), { progress: { parser: 'regex', pattern } }));
    await until(
      () => host.all('progress-read').some(({ detail }) => detail !== undefined),
      () => JSON.stringify(host.events),
    );
    expect(host.all('progress-read').at(-1)?.detail).toBe('***');
    expect(JSON.stringify(host.events)).not.toContain('s3cret');
  }));

test('a secret of which one half has been written so far', () =>
  withHosts(async (newHost, directory) => {
    const host = newHost();
    const script = `printf 'copying 1/4 to sftp://app:s3cret'; until [ -e ${directory}/go ]; do sleep 0.05; done
      printf 'secondHalf@host/\\n'; printf 'copying 2/4\\n'; sleep 600`;
    const pattern = String.raw`copying (?<done>\d+)/(?<total>\d+)(?<detail>.*)`;
    host.host.start(makeRun(sh(script), { progress: { parser: 'regex', pattern } }));
    await until(
      () => host.all('progress-read').some(({ detail }) => detail?.includes('sftp') === true),
      () => JSON.stringify(host.events),
    );
    const { writeFile } = await import('node:fs/promises');
    await writeFile(`${directory}/go`, '');
    await until(
      () => host.all('progress-read').some(({ percent }) => percent === 50),
      () => JSON.stringify(host.events),
    );
    expect(JSON.stringify(host.events)).not.toMatch(/s3cret|secondHalf/);
  }));

test.each([
  [
    'a key over many lines',
    `echo '-----BEGIN RSA PRIVATE KEY-----'; for i in 1 2 3; do echo MIIEs3cret$i; done`,
  ],
  [
    'a key whose beginning is farther back than what is read',
    `echo '-----BEGIN RSA PRIVATE KEY-----'; seq -f 'MIIEs3cret%060.0f' 400; echo '-----END RSA PRIVATE KEY-----'`,
  ],
  ['netrc over lines', `printf 'machine h\\n  login app\\n  password s3cret\\n'`],
  ['a command line', `echo 'failed: sshpass -p s3cret ssh -p 22 host'`],
  ['colours within', `printf 'password=\\033[31ms3cret\\033[0m\\n'`],
])('the end of the errors of a run: %s', (_, script) =>
  withHosts(async (newHost) => {
    const host = newHost();
    host.host.start(makeRun(sh(`{ echo the end; ${script}; echo the end; } >&2; exit 3`)));
    const ended = await host.event('run-exited');
    expect(JSON.stringify(ended)).toContain('the end');
    expect(JSON.stringify(host.events)).not.toContain('s3cret');
  }),
);
