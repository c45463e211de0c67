/** Where a secret begins and ends, and where it does not: exactly, so that neither a part of it stays nor more is lost. */
import { describe, expect, test } from 'vitest';
import { maskCommand, maskSecrets } from '../../../src/core/lib/secrets.ts';

type Case = readonly [text: string, masked: string];
/** The text stays as it is. */
const same = (...texts: string[]): Case[] => texts.map((text) => [text, text]);

describe.each<[string, readonly Case[]]>([
  [
    'a block of YAML ends where the indentation does',
    [
      ['password: |\n  line1\n  line2\nnext: x', 'password: ***\nnext: x'],
      [
        'a:\n  password: >-\r\n    s1\r\n\r\n    s2\r\n  other: x\r\n',
        'a:\n  password: ***\r\n  other: x\r\n',
      ],
      ['password: |\n  s1', 'password: ***'],
      ['password: |\n  s1\n', 'password: ***\n'],
      ['- password: |\n    s1\n  name: x', '- password: ***\n  name: x'],
      ['password: |\n\n  s1\n\nb: 1', 'password: ***\nb: 1'],
    ],
  ],
  [
    'an element ends at its tag',
    [
      ['<Password type="x">hunter2Xy</Password>', '<Password type="x">***</Password>'],
      ['<password><![CDATA[hunter2Xy]]></password>', '<password><![CDATA[***]]></password>'],
      ['<password> a b </password>', '<password>*** </password>'],
      ['<password>hunter2Xy', '<password>***'],
      ...same(
        '<password/><b>hunter2Xy</b>',
        '<password></password><b>c</b>',
        '<password> </password><b>c</b>',
      ),
    ],
  ],
  [
    'a name and its value may be two members, or two arguments',
    [
      [
        'name: DB_PASSWORD\n  value: hunter2Xy\n  other: x',
        'name: DB_PASSWORD\n  value: ***\n  other: x',
      ],
      [
        '{"name":"DB_PASSWORD","value":"hunter2Xy","n":1}',
        '{"name":"DB_PASSWORD","value":"***","n":1}',
      ],
      [
        '<name>db.password</name><value>hunter2Xy</value><n>1</n>',
        '<name>db.password</name><value>***</value><n>1</n>',
      ],
      ["define('DB_PASSWORD', 'hunter2Xy'); x", "define('DB_PASSWORD', '***'); x"],
      ["ALTER USER a PASSWORD 'hunter2Xy' LOGIN", "ALTER USER a PASSWORD '***' LOGIN"],
    ],
  ],
  [
    'of openssl only a password itself is one',
    [
      ['openssl rsa -passin pass:hunter2Xy -out f', 'openssl rsa -passin pass:*** -out f'],
      ...same(
        'openssl rsa -passin file:/etc/x -out f',
        'openssl rsa -passin env:PW -out f',
        'openssl rsa -passin stdin -out f',
        'tool --password --other x',
        'tool --no-password x',
      ),
    ],
  ],
  [
    'a word of every day is prose, unless quotes or its name say otherwise',
    [
      ["token: 'hunter2Xyz' x", "token: '***' x"],
      ['api_token: hunter2 x', 'api_token: *** x'],
      ['my-token: hunter2 x', 'my-token: *** x'],
      ['git config user.token abc123de', 'git config user.token ***'],
      ...same('unexpected token: "," here', "unexpected token: ','", 'token: value'),
    ],
  ],
  [
    'a bare value ends at a blank, a closing quote, and what its surroundings use',
    [
      ['a=1;password=hunter2;b=2', 'a=1;password=***;b=2'],
      ['x?password=hunter2&b=1', 'x?password=***&b=1'],
      ['password=hunter2&b=1', 'password=***'],
      ['password=a<b c', 'password=*** c'],
      ['<p>password=hunter2</p>', '<p>password=***</p>'],
      ['password="a\\"b" c', 'password="***" c'],
      ["password='it' x", "password='***' x"],
      ['{"a":"password=hunter2"}', '{"a":"password=***"}'],
      ["f('password=hunter2', 1)", "f('password=***', 1)"],
      ['password=x y password=z', 'password=*** y password=***'],
      ...same('password=', 'pw==', 'cHc=', 'pw====', 'compass: x', 'design: x'),
    ],
  ],
  [
    'an address ends at its host',
    [
      ['redis://user:hunter2', 'redis://user:***'],
      ['redis://:hunter2', 'redis://:***'],
      ['postgres://u:p/a@h/db', 'postgres://u:***@h/db'],
      ['https://ghp1Token@host/x', 'https://***@host/x'],
      ['https://ab@c@h/', 'https://***@h/'],
      ['https://:pw@h/x', 'https://:***@h/x'],
      ['https://u:p@h/x?a=b@c', 'https://u:***@h/x?a=b@c'],
      ['x://h:1/a,y://u:hunter2@h/b', 'x://h:1/a,y://u:***@h/b'],
      ['://u:hunter2@h/b', '://u:***@h/b'],
      ['app:hunter2@db01:5432/x', 'app:***@db01:5432/x'],
      ['app:hunter2@tcp(db01:3306)/x', 'app:***@tcp(db01:3306)/x'],
      ...same('mailto:anna@example.com/x', 'npm:left-pad@host/x', 'user:anna@example.com/x'),
      ['jdbc:oracle:thin:scott/tiger@//h:1521/s', 'jdbc:oracle:thin:scott/***@//h:1521/s'],
      ...same(
        'docker://nginx:latest',
        'npm://a:b',
        'https://h:8080/x',
        'https://h:8080',
        'https://h:',
        'https://[::1]:80/x',
        'https://git@host/x',
        'https://@host/x',
        'https://h/a:b@c',
        'https://h/x y@z',
        'https://h:80/x@y',
        'ssh://longTOKEN9@h',
        'mongodb://h1:27017,h2:27017',
      ),
    ],
  ],
  [
    'a word of a command ends as a shell ends it: quotes, escapes, items of a list',
    [
      ["mysql -p'two words' db", "mysql -p'***' db"],
      ['mysql -p"a \\" b" db', 'mysql -p"***" db'],
      ["curl -u'me:two words' http://h", "curl -u'me:***' http://h"],
      ['mysql -p=hunter2 db', 'mysql -p=*** db'],
      ['mysql \\\n -phunter2 db', 'mysql \\\n -p*** db'],
      ["it's mysql -phunter2Xy db", "it's mysql -p*** db"],
      ["x 'mysql' -phunter2", "x 'mysql' -p***"],
      ['["mysql","-phunter2Xy","db"]', '["mysql","-p***","db"]'],
      ['[\\"mysql\\",\\"-phunter2Xy\\",\\"db\\"]', '[\\"mysql\\",\\"-p***\\",\\"db\\"]'],
      ...same('mysql -u root -p -h h', 'curl -u me http://h', 'curl -u me: http://h', 'tool -p5'),
    ],
  ],
  [
    'a sign after a backslash is part of its word, but a blank and the end of the text are not',
    [
      ['mysql -phunter2\\', 'mysql -p***\\'],
      ['mysql -phun\\ter2 db', 'mysql -p*** db'],
      ['mysql -phunter2\\ db', 'mysql -p***\\ db'],
      ["mysql -phun\\'ter2 db' x", "mysql -p*** db' x"],
      ['mysql -phun\\"ter2 db x" -u r', 'mysql -p*** db x" -u r'],
      ['mysql -p"a\\"b c" db', 'mysql -p"***" db'],
      ['mysql -p"a b\\\\" db', 'mysql -p"***\\\\" db'],
      ["mysql -p'a b\\' db", "mysql -p'***\\' db"],
      ["mysql -p'open db", "mysql -p'*** db"],
      ['mysql -pa"b c"d e', 'mysql -p*** e'],
      ["mysql --x=['a b'] -phunter2Xy", "mysql --x=['a b'] -p***"],
      ["['mysql', '-phunter2Xy', 'db']", "['mysql', '-p***', 'db']"],
      ...same('curl -u me:\\', 'mysql -p\\\nhunter2', '\\', 'mysql \\'),
    ],
  ],
  [
    'a key is masked from its first line to its last, of each kind, and each one of several',
    [
      ...[
        ['-----BEGIN PRIVATE KEY-----', '-----END PRIVATE KEY-----'],
        ['-----BEGIN EC PRIVATE KEY-----', '-----END EC PRIVATE KEY-----'],
        ['-----BEGIN PGP PRIVATE KEY BLOCK-----', '-----END PGP PRIVATE KEY BLOCK-----'],
        ['---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----', '---- END SSH2 ENCRYPTED PRIVATE KEY ----'],
        ['-----BEGIN OpenVPN Static key V1-----', '-----END OpenVPN Static key V1-----'],
        ['Private-Lines: 8', 'Private-MAC: 1234'],
      ].flatMap(([begin, end]): Case[] => [
        [`a\n${begin}\nMIIE\nAbC=\n${end}\nb`, `a\n${begin}***${end}\nb`],
        [
          `${begin}\nMIIE\n${end} x ${begin}\nAbC=\n${end}`,
          `${begin}***${end} x ${begin}***${end}`,
        ],
        // It was cut.
        [`a ${begin}\nMIIE\nAbC`, `a ${begin}***`],
      ]),
      // Its beginning was cut.
      [
        `a\n${'A'.repeat(64)}\n${'B'.repeat(64)}\nC+/=\n-----END PRIVATE KEY-----\nb`,
        'a\n***-----END PRIVATE KEY-----\nb',
      ],
      [`${'A'.repeat(64)}\\nBc12\\n-----END PRIVATE KEY-----`, '***-----END PRIVATE KEY-----'],
      ...same(
        '-----END PRIVATE KEY-----\nb',
        'no key here.\n-----END PRIVATE KEY-----',
        'abc\n-----END PRIVATE KEY-----',
        '-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----',
      ),
    ],
  ],
  [
    'what is masked is read no further',
    [
      ["identified by 'a identified by b' c", "identified by '***' c"],
      ['identified by x identified by y z', 'identified by *** identified by *** z'],
      ['password="a password=b c" d', 'password="***" d'],
    ],
  ],
  [
    'a command ends at its sign, and the next one has options of its own',
    [
      ['mysql -phunter2; other -p5', 'mysql -p***; other -p5'],
      ['mysql -phunter2 | other -p5', 'mysql -p*** | other -p5'],
      ['mysql -phunter2 && other -p5', 'mysql -p*** && other -p5'],
      ['mysql -phunter2\nother -p5', 'mysql -p***\nother -p5'],
    ],
  ],
  [
    'a command may be a word of another',
    [
      ['sh -c "mysql -phunter2Xy db"', 'sh -c "mysql -p*** db"'],
      [`sh -c "ssh h 'mysql -phunter2Xy'"`, `sh -c "ssh h 'mysql -p***'"`],
      ['["sh","-c","mysql -phunter2Xy db"]', '["sh","-c","mysql -p*** db"]'],
    ],
  ],
  [
    'an option may stand in a cluster, or have its value joined',
    [
      ['curl -sSu me:hunter2 http://h', 'curl -sSu me:*** http://h'],
      ['redis-cli -ahunter2 x', 'redis-cli -a*** x'],
      ['sshpass -p hunter2 ssh h', 'sshpass -p *** ssh h'],
      ['sshpass -phunter2 ssh h', 'sshpass -p*** ssh h'],
      ['sqlplus scott/tiger@orcl', 'sqlplus scott/***@orcl'],
      ['sqlplus -s scott/tiger @x.sql a/b', 'sqlplus -s scott/*** @x.sql a/b'],
      ['sqlplus @x.sql scott/tiger@orcl', 'sqlplus @x.sql scott/***@orcl'],
      ...same('sqlplus u@//h/s', 'mysql -vp orders', 'curl --menu a:b http://h', 'ls scott/tiger'),
    ],
  ],
  [
    'a phrase announces a secret wherever it stands, and each time',
    [
      [
        "identified by 'a1b2' x identified by 'c3d4' y",
        "identified by '***' x identified by '***' y",
      ],
      ['requirepass hunter2\nmasterauth hunter3\n', 'requirepass ***\nmasterauth ***\n'],
      ['echo hunter2 | sudo -S ls', 'echo *** | sudo -S ls'],
      ['h:5432:db:u:hunter2', 'h:5432:db:u:***'],
      ['connect scott/tiger@orcl', 'connect scott/***@orcl'],
    ],
  ],
])('%s', (_rule, cases) => {
  test.each(cases)('%j', (text, masked) => {
    expect(maskSecrets(text)).toBe(masked);
    // The rules remember nothing of the text before.
    expect(maskSecrets(text)).toBe(masked);
  });
});

test('the words of a command stay words', () => {
  expect(maskCommand(['sh', '-c', 'mysql -phunter2 db'])).toEqual(['sh', '-c', 'mysql -p*** db']);
  expect(maskCommand(['mysql', "-ptwo 'words' x", 'db'])).toEqual(['mysql', '-p***', 'db']);
  expect(maskCommand(['mysql', '-p', 'x'])).toEqual(['mysql', '-p', 'x']);
});
