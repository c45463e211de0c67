/** Each kind of value: what it takes, its limits on both sides, and what a message advises. */
import { describe, expect, test } from 'vitest';
import type * as z from 'zod';
import { issueMessage } from '../../../src/config/issues.ts';
import {
  absolutePath,
  duration,
  hostName,
  isGiven,
  line,
  listed,
  listenAddress,
  matching,
  oneOf,
  pipelineText,
  progressPattern,
  region,
  shown,
  size,
  text,
  timeZone,
  url,
  word,
} from '../../../src/config/schema/values.ts';

/** The value, or an error with the messages. */
function read(type: z.ZodType, input: unknown): unknown {
  const result = type.safeParse(input, { error: issueMessage });
  if (result.success) return result.data;
  return new Error(result.error.issues.map(({ message }) => message).join('; '));
}
const refused = (message: string): Error => new Error(message);

const NO_DURATION = 'expected a duration such as 90s, 15m, 1h30m or 7d';
const NO_SIZE = 'expected a size such as 10 GB, 512 MiB or a number of bytes';
const NO_ADDRESS = 'expected HOST:PORT such as 127.0.0.1:9464 or [::1]:9464';
const EMPTY = 'is empty: give it a value, or leave the key out';
const LONG = 'a'.repeat(254);

describe.each<[string, z.ZodType, readonly (readonly [unknown, unknown])[]]>([
  [
    'a duration',
    duration(),
    [
      ['1s', 1000],
      ['1h30m', 5_400_000],
      ['0s', refused('must be one second at least')],
      [30, refused('a number without a unit; write 30s or 30m')],
      ['30', refused(`${NO_DURATION}, found "30"`)],
      [true, refused(NO_DURATION)],
      [null, refused(EMPTY)],
      [undefined, refused('is missing')],
    ],
  ],
  [
    'a duration with a limit',
    duration(10_500),
    [
      ['10s', 10_000],
      ['11s', refused('must be 10s at most: the service keeps it as a 32-bit number of seconds')],
    ],
  ],
  ['a duration at its limit', duration(10_000), [['10s', 10_000]]],
  [
    'a size',
    size(),
    [
      ['10 GB', 10_000_000_000],
      [1, 1],
      ['1', 1],
      [0, refused(`${NO_SIZE}, found "0"`)],
      ['0', refused(`${NO_SIZE}, found "0"`)],
      [1.5, refused(`${NO_SIZE}, found "1.5"`)],
      ['some', refused(`${NO_SIZE}, found "some"`)],
      [true, refused(NO_SIZE)],
      [null, refused(EMPTY)],
    ],
  ],
  [
    'text',
    text(3),
    [
      ['a', 'a'],
      ['😀😀😀', '😀😀😀'],
      ['abcd', refused('text has 4 characters; 3 at most')],
      ['', refused('must not be empty')],
    ],
  ],
  [
    'a line',
    line(3),
    [
      ['abc', 'abc'],
      ...['a\n', 'a\r', 'a\u2028', 'a\u2029'].map(
        (one) => [one, refused('must be on one line')] as const,
      ),
    ],
  ],
  [
    'a name in Data Pipeline',
    pipelineText(4, 'the name'),
    [
      ['a\tb', 'a\tb'],
      ['abcde', refused('the name has 5 characters; 4 at most')],
      ['a\u0001', refused('must not hold control characters')],
    ],
  ],
  [
    'what must match',
    matching(/^a$/, 'an a'),
    [
      ['a', 'a'],
      ['b', refused('expected an a, found "b"')],
    ],
  ],
  [
    'a word',
    word(),
    [
      ['', ''],
      ['a b', 'a b'],
      ['a\0', refused('must not hold a NUL character')],
      [null, refused('is empty: write ""')],
      [5, refused('expected text, found the number 5')],
    ],
  ],
  [
    'one of several',
    oneOf(['stop', 'continue']),
    [
      ['stop', 'stop'],
      ['stopp', refused('expected stop or continue, found "stopp"; did you mean stop?')],
      ['x', refused('expected stop or continue, found "x"')],
      [7, refused('expected stop or continue, found the number 7')],
      [null, refused(EMPTY)],
    ],
  ],
  [
    'an absolute path',
    absolutePath(),
    [
      ['/', '/'],
      ['/a b', '/a b'],
      ['a', refused('expected an absolute path, found "a"')],
      ['/a\0', refused('expected an absolute path, found "/a\0"')],
    ],
  ],
  [
    'a region',
    region(),
    [
      ['us-west-2', 'us-west-2'],
      ['us-gov-west-1', 'us-gov-west-1'],
      ...['us-west', 'us2', 'US-west-2', 'u-west-2', 'us-west-2a'].map(
        (one) => [one, refused(`expected a region such as us-west-2, found "${one}"`)] as const,
      ),
    ],
  ],
  [
    'a URL',
    url('http', 'https'),
    [
      ['http://h', 'http://h'],
      ['https://u:p@h:1/x', 'https://u:p@h:1/x'],
      ...['ftp://h', 'http://', 'h:80', 'h', ''].map(
        (one) => [one, refused('expected a URL such as http://HOST:PORT')] as const,
      ),
    ],
  ],
  [
    'a URL without a host',
    url('redis'),
    [['redis:x', refused('expected a URL such as redis://HOST:PORT')]],
  ],
  [
    'an address to listen on',
    listenAddress(),
    [
      ['127.0.0.1:9464', { host: '127.0.0.1', port: 9464 }],
      ['[::1]:0', { host: '::1', port: 0 }],
      ['h:65535', { host: 'h', port: 65_535 }],
      ['h:65536', refused(`${NO_ADDRESS}, found "h:65536"`)],
      [':1', refused(`${NO_ADDRESS}, found ":1"`)],
      ['::1:1', refused(`${NO_ADDRESS}, found "::1:1"`)],
      ['h', refused(`${NO_ADDRESS}, found "h"`)],
      [9464, refused('a port without a host; write 127.0.0.1:9464')],
      [true, refused('expected text, found true')],
    ],
  ],
  [
    'the name of a host',
    hostName(),
    [
      ['a', 'a'],
      ['migration01.example.com', 'migration01.example.com'],
      [LONG.slice(1), LONG.slice(1)],
      [LONG, refused(`must be 253 at most, found "${LONG.slice(0, 57)}…"`)],
      [
        'a:1',
        refused('expected the name of a host such as migration01.example.com, without a port'),
      ],
    ],
  ],
  [
    'a time zone',
    timeZone(),
    [
      ['Europe/Berlin', 'Europe/Berlin'],
      ['+01:00', '+01:00'],
      [
        'Europe/Berlni',
        refused('"Europe/Berlni" is not a time zone; did you mean "Europe/Berlin"?'),
      ],
      [
        'Xx',
        refused(
          '"Xx" is not a time zone; write a name such as Europe/Berlin, or an offset such as +01:00',
        ),
      ],
    ],
  ],
])('%s', (_name, type, cases) => {
  test.each(cases)('%j', (input, expected) => {
    expect(read(type, input)).toEqual(expected);
  });
});

describe('a pattern of progress', () => {
  test.each(['(?<percent>\\d+)', '(?<done>\\d+)/(?<total>\\d+)', '(?<percent>1)(?<detail>2)'])(
    '%s is one',
    (pattern) => {
      expect(read(progressPattern(), pattern)).toBe(pattern);
    },
  );

  test.each(['x', '(?<done>1)', '(?<total>1)', '(?<detail>1)', ''])(
    '%j lacks a group',
    (pattern) => {
      expect(read(progressPattern(), pattern)).toEqual(
        refused(
          'needs a group named percent, or two named done and total, such as (?<done>\\d+)/(?<total>\\d+)',
        ),
      );
    },
  );

  test('that is no regular expression is refused with the reason alone', () => {
    expect(String(read(progressPattern(), '('))).toBe(
      'Error: is not a regular expression: Unterminated group',
    );
  });
});

test('a value in a message is short, and of a list or a map only the kind', () => {
  const letters = 'x'.repeat(60);
  expect([[1], { a: 1 }, letters, `${letters}y`, 5, true].map(shown)).toEqual([
    ...['a list', 'a map', `"${letters}"`, `"${letters.slice(0, 57)}…"`, 'the number 5', 'true'],
  ]);
});

test('names are listed as a sentence lists them', () => {
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(listed)).toEqual([
    ...['', 'a', 'a or b', 'a, b or c'],
  ]);
});

test('a key without a value is not given; zero, false and no text are', () => {
  expect([0, '', false, undefined, null].map(isGiven)).toEqual([true, true, true, false, false]);
});
