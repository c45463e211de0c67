import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maskSecrets } from '../../../src/core/lib/secrets.ts';

describe('what is masked', () => {
  const examples: readonly (readonly [string, string])[] = [
    ['postgres://admin:hunter2@db/orders', 'postgres://admin:***@db/orders'],
    ['redis://:hunter2@10.0.0.5:6379', 'redis://:***@10.0.0.5:6379'],
    ['https://u:p@ss@h:1/x?token=abc&x=1', 'https://u:***@h:1/x?token=***&x=1'],
    ['postgres://u:p/ss@h/db', 'postgres://u:***@h/db'],
    ['PGPASSWORD=hunter2 pg_dump orders', 'PGPASSWORD=*** pg_dump orders'],
    ['MYSQL_PWD=hunter2', 'MYSQL_PWD=***'],
    ['aws_secret_access_key = wJalr/XU', 'aws_secret_access_key = ***'],
    ['export AWS_SESSION_TOKEN="IQoJb3=="', 'export AWS_SESSION_TOKEN="***"'],
    ['AKIAIOSFODNN7EXAMPLE', 'AKIAIOSFODNN7EXAMPLE'],
    ['AKIAIOSFODNN7EXAMPLE,wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'AKIAIOSFODNN7EXAMPLE,***'],
    ['{"SecretAccessKey": "a\\"b", "n": 1}', '{"SecretAccessKey": "***", "n": 1}'],
    ['{\\"password\\":\\"abc\\",\\"x\\":1}', '{\\"password\\":\\"***\\",\\"x\\":1}'],
    ["--password 'two words' --host h", "--password '***' --host h"],
    ['--api-key=abc --token abc', '--api-key=*** --token ***'],
    ['password: hunter2', 'password: ***'],
    ['mysql -u root -phunter2 orders', 'mysql -u root -p*** orders'],
    ['mysqldump -p orders', 'mysqldump -p orders'],
    ['/usr/bin/sshpass -p hunter2 ssh h', '/usr/bin/sshpass -p *** ssh h'],
    ['redis-cli -a hunter2 ping', 'redis-cli -a *** ping'],
    ['curl -u me:hunter2 http://h', 'curl -u me:*** http://h'],
    [
      "curl -H 'Authorization: Bearer abc.def' http://h",
      "curl -H 'Authorization: Bearer ***' http://h",
    ],
    ['Authorization: Basic dXNlcjpwYXNz', 'Authorization: Basic ***'],
    [
      'https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIA&X-Amz-Signature=ab12&X-Amz-Security-Token=cd&v=1',
      'https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIA&X-Amz-Signature=***&X-Amz-Security-Token=***&v=1',
    ],
    [
      'key:\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nend',
      'key:\n-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----\nend',
    ],
    ['-----BEGIN PRIVATE KEY-----\nMIIE cut', '-----BEGIN PRIVATE KEY-----***'],
    ['ghp_0123456789abcdefABCDEF', '***'],
  ];
  test.each(examples)('%s', (text, masked) => {
    expect(maskSecrets(text)).toBe(masked);
  });
});

const HARMLESS = [
  '',
  'rsync -a --info=progress2 /srv/a/ /srv/b/',
  'PWD=/home/migrator OLDPWD=/srv',
  'https://host:443/@scope/package',
  'Unexpected token: "," in line 3',
  'pg_dump --no-password -h db01 orders',
  'mkdir -p /srv/data; tar -pxf a.tar',
  'FATAL: password authentication failed for user "migrator"',
  '  1,238,099  45%  146.38kB/s    0:00:08 (xfr#5, to-chk=169/396)',
  '-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----',
  'compass=north design: blue tokens=5',
  'arn:aws:s3:::bucket/key user@example.com 2026-01-01T00:00:00Z',
  'git commit 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567',
];

test.each(HARMLESS)('is left alone: %s', (text) => {
  expect(maskSecrets(text)).toBe(text);
});

/** Forms in which a secret is planted; `\0` stands for it. */
const FORMS = [
  'postgres://user:\0@host/db',
  'PGPASSWORD=\0 pg_dump',
  'MYSQL_PWD=\0',
  'aws_secret_access_key=\0',
  'AWS_SESSION_TOKEN=\0',
  'password=\0',
  'mysqldump --password=\0 db',
  'tool --password \0 --more',
  'mysql -p\0 db',
  'sshpass -p \0 ssh host',
  'redis-cli -a \0 ping',
  'token=\0',
  'api_key=\0',
  'Authorization: Bearer \0',
  'Authorization: Basic \0',
  '{"password":"\0","n":1}',
  'https://h/k?X-Amz-Signature=\0&n=1',
  'https://h/k?n=1&X-Amz-Security-Token=\0',
  '-----BEGIN PRIVATE KEY-----\n\0\n-----END PRIVATE KEY-----',
];

/** Letters of passwords and of base64; quotes and white space would end the value by the rules of its form. */
const secret = fc
  .array(fc.constantFrom(...'abcXYZ0189!$%*+./:;<>^_~=@#,()[]{}-'.split('')), {
    minLength: 8,
    maxLength: 60,
  })
  .map((letters) => `Zq${letters.join('')}7k`);

/** Text with much in it that the rules look for. */
const tangled = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...['password', 'token', '=', ':', ' ', '"', "'", '\\', '://', '@', '?', '&', '--', '-p'],
        ...['mysql ', 'curl ', 'Authorization: ', 'Bearer ', '-----BEGIN ', 'PRIVATE KEY-----'],
        ...['-----END ', 'eyJ', '.', '***', '\n', 'PWD', 'sig', '/', 'AKIAIOSFODNN7EXAMPLE', '-u'],
      ),
      fc.string({ maxLength: 8 }),
    ),
    { maxLength: 24 },
  )
  .map((pieces) => pieces.join(''));

test('a planted secret never survives', () => {
  fc.assert(
    fc.property(fc.constantFrom(...FORMS), secret, tangled, (form, planted, around) => {
      const text = `${around.replaceAll(/["'\\]/g, '')}\n${form.replace('\0', planted)}`;
      expect(maskSecrets(text)).not.toContain(planted);
    }),
    { numRuns: 2000 },
  );
});

test('masking a masked text changes nothing', () => {
  fc.assert(
    fc.property(fc.oneof(tangled, fc.string({ unit: 'binary' })), (text) => {
      const once = maskSecrets(text);
      expect(maskSecrets(once)).toBe(once);
    }),
    { numRuns: 3000 },
  );
});

test.each([
  ...['password', 'token=', 'a://', 'eyJ', '-----BEGIN ', 'x://y:z@', '--password ', '"', '\\'],
  ...['Authorization: ', 'mysql -p', 'eyJa.', '"password":"', 'password="a\\" ', 'a://b:c/d', ' '],
])('takes linear time for a megabyte of %j', (piece) => {
  const text = piece.repeat(Math.ceil(1_000_000 / piece.length));
  const start = performance.now();
  maskSecrets(text);
  // It takes a fifth of a second at most; with quadratic time it would take minutes.
  expect(performance.now() - start).toBeLessThan(5000);
});
