import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maskCommand, maskSecrets } from '../../../src/core/lib/secrets.ts';
import { INNOCENT, KINDS, TOKENS } from './secret-corpus.ts';
import { anyText } from '../../support/any-text.ts';
import { IS_LONG } from '../../support/long-run.ts';

/** Of each property. */
const RUNS = IS_LONG ? 3000 : 1000;

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

test.each(INNOCENT)('is left alone: %s', (text) => {
  expect(maskSecrets(text)).toBe(text);
});

/** A word, a passphrase that looks like a path, base64, and signs that a shell would quote. */
const SECRETS = ['hunter2Xy', 'a/b+c9Zq==k', 'Zq!$%*._~^7k', '12345678'];

describe.each(KINDS)('$name', ({ lines }) => {
  test.each(lines)('%s', (line) => {
    for (const secret of SECRETS) {
      const masked = maskSecrets(line.replace('\0', () => secret));
      expect(masked).not.toContain(secret);
      expect(masked).toContain('***');
      // The rest is as it was: who reads a log still sees what was run.
      const [before = ''] = line.split('\0');
      expect(masked.startsWith(before.slice(0, 4)), masked).toBe(true);
      expect(maskSecrets(masked)).toBe(masked);
    }
  });
});

test.each(TOKENS)('the token %s, wherever it stands', (token) => {
  for (const line of ['\0', 'using \0 now', 'x="\0"', '(\0)', 'got:\0,', 'https://h/\0/x']) {
    expect(maskSecrets(line.replace('\0', () => token)), line).not.toContain(token);
  }
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
    { numRuns: RUNS },
  );
});

test.each(KINDS.flatMap(({ lines }) => lines))(
  'a secret that contains the mask is masked whole: %j',
  (line) => {
    const planted = 'Q***abcXYZ7k';
    expect(maskSecrets(line.replace('\0', () => planted))).not.toMatch(/abcXYZ/);
  },
);

/** Without quotes and white space, and without the signs that end a value in a query or a connection string. */
const strong = fc
  .array(fc.constantFrom(...'abcXYZ0189!$%*+._^~=/#,-'.split('')), { minLength: 6, maxLength: 40 })
  .map((letters) => `Q${letters.join('')}7k`);

test('no part of a planted secret survives', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...KINDS.flatMap(({ lines }) => lines)),
      strong,
      (line, planted) => {
        const masked = maskSecrets(line.replace('\0', () => planted));
        for (let at = 0; at + 6 <= planted.length; at += 1) {
          expect(masked).not.toContain(planted.slice(at, at + 6));
        }
      },
    ),
    { numRuns: RUNS },
  );
});

test('masking a masked text changes nothing', () => {
  fc.assert(
    fc.property(fc.oneof(tangled, anyText()), (text) => {
      const once = maskSecrets(text);
      expect(maskSecrets(once)).toBe(once);
    }),
    { numRuns: RUNS },
  );
});

/** Pieces that a rule looks for, and every line of the corpus up to its secret. */
const PIECES = [
  ...['password', 'token=', 'a://', 'eyJ', '-----BEGIN ', 'x://y:z@', '--password ', '"', '\\'],
  ...[
    'Authorization: ',
    'eyJa.',
    '"password":"',
    'password="a\\" ',
    'a://b:c/d',
    ' ',
    '@',
    ':',
    '=',
  ],
  ...['-----BEGIN PRIVATE KEY-----', '-----END PRIVATE KEY-----', 'AKIAIOSFODNN7EXAMPLE', "'", '`'],
  ...[
    'machine a ',
    'login b password ',
    'identified by ',
    'x/y@z ',
    'a:b@',
    '<password>',
    '$1$',
    '\n',
  ],
  ...[
    '["mysql","',
    '","',
    'sqlplus ',
    '-p',
    ';',
    'echo a |',
    'password: |\n  ',
    'name="password" value',
  ],
  ...KINDS.flatMap(({ lines }) => lines.map((line) => `${line.split('\0')[0] ?? ''} `)),
  ...INNOCENT.filter((line) => line !== ''),
  ...TOKENS,
];

/** Milliseconds of the processor that a text of so many characters takes, which has nothing but this piece. */
function costMs(piece: string, characters: number): number {
  const text = piece.repeat(Math.ceil(characters / piece.length));
  const start = process.cpuUsage();
  maskSecrets(text);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

test('a text of any piece over and over takes linear time', () => {
  // 40,000 characters take 20 ms; with one rule that is quadratic they took 1,400, and an eighth of them 22.
  const suspicious = PIECES.filter((piece) => costMs(piece, 5_000) > 8);
  expect(suspicious.filter((piece) => costMs(piece, 40_000) > 700)).toEqual([]);
}, 60_000);

test('a long text of ordinary lines takes linear time', () => {
  const text = INNOCENT.join('\n').repeat(Math.ceil(1_000_000 / INNOCENT.join('\n').length));
  const start = process.cpuUsage();
  maskSecrets(text);
  expect(process.cpuUsage(start).user).toBeLessThan(5_000_000);
});

/** Here the secret stands before what tells that it is one. */
const ENDS_IT =
  /echo '?\0|\0@|connect scott|sys\/\0|system\/\0@|scott\/\0@|app:|<value>|<entry|private_key|^db01:5432/;

describe('text that comes in pieces', () => {
  /** What identifies a secret stands before it, so that a piece which ends within the secret still has it. */
  const CUT = KINDS.flatMap(({ lines }) => lines).filter((line) => !ENDS_IT.test(line));

  test.each(CUT)('a secret that the end cuts off: %s', (line) => {
    const [before = ''] = line.split('\0');
    const half = 'hunter2Xy9QwErTz';
    expect(maskSecrets(before + half)).not.toContain(half);
  });

  test.each(
    TOKENS.filter(
      (token) =>
        !/^[a-f0-9]{32}-us|Q~|^s\.|^SK|^key-|^\d+:AA|^1\/\/|^sk-a|^oy2|^cio|^MTAA|^pat/.test(token),
    ),
  )('the token %s, cut off', (token) => {
    const half = token.slice(0, Math.max(24, Math.ceil(token.length / 2)));
    expect(maskSecrets(`got ${half}`)).not.toContain(half);
  });

  test('a key whose beginning was cut off', () => {
    const line = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj';
    const text = `${line.slice(9)}\n${line}\nQIDAQAB\n-----END PRIVATE KEY-----\nmore`;
    expect(maskSecrets(text)).toBe('***\n-----END PRIVATE KEY-----\nmore'.replace('***\n', '***'));
    expect(maskSecrets(`the end of the file\n-----END PRIVATE KEY-----`)).toContain('end of the');
  });
});

describe('the arguments of a command', () => {
  test('are masked together: a flag and its secret are two arguments', () => {
    const words = ['sshpass', '-p', 'hunter2', 'ssh', '-p', '22', 'host'];
    expect(maskCommand(words)).toEqual(['sshpass', '-p', '***', 'ssh', '-p', '22', 'host']);
    expect(maskCommand(['tool', '--password', 'two "words"'])).toEqual([
      'tool',
      '--password',
      '***',
    ]);
    expect(maskCommand(['sh', '-c', 'mysql -phunter2 a'])).toEqual(['sh', '-c', 'mysql -p*** a']);
    expect(maskCommand(['rsync', '-a', '/srv/a b/', 'h:/c'])).toEqual([
      'rsync',
      '-a',
      '/srv/a b/',
      'h:/c',
    ]);
  });

  test('never survive, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 6 })), (around) => {
        const words = [...around, '--password', 'Zq-hunter2', 'x'];
        expect(maskCommand(words).join(' ')).not.toContain('Zq-hunter2');
      }),
    );
  });
});
