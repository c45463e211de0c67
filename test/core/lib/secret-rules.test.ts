/** Each rule of masking by itself: each tool, each prefix, each phrase, and what lets an ordinary line pass by quickly. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PHRASES } from '../../../src/core/lib/secret-phrases.ts';
import { BY_FORM, UNMISTAKABLE } from '../../../src/core/lib/secret-tokens.ts';
import { TOOLS } from '../../../src/core/lib/secret-tools.ts';
import type { SecretOption } from '../../../src/core/lib/secret-tools.ts';
import { maskSecrets } from '../../../src/core/lib/secrets.ts';
import { KINDS, TOKENS } from './secret-corpus.ts';

const SECRET = 'hunter2Xy9';

function valueOf({ after }: SecretOption): string {
  return after === undefined ? SECRET : `user${after}${SECRET}`;
}

/** Words before the option without which it means something else. */
function contextOf({ when }: SecretOption): string {
  const words = ['login', 'publish', 'secret'];
  return when === undefined ? '' : `${words.find((word) => when.test(` ${word}`)) ?? ''} `;
}

const COMMANDS = [...TOOLS].flatMap(([name, { options, positions = {}, login, wraps }]) => [
  ...options.flatMap((option) =>
    option.flags.flatMap((flag) => {
      const joined = flag.startsWith('--') || !flag.startsWith('-') ? `${flag}=` : flag;
      const forms = [
        ...(option.form === 'joined' ? [] : [`${flag} `]),
        ...(option.form === 'next' ? [] : [flag.endsWith(':') ? flag : joined]),
      ];
      const rest = wraps === true ? ' ssh host' : '';
      return forms.map((form) => `${name} ${contextOf(option)}${form}${valueOf(option)}${rest}`);
    }),
  ),
  ...Object.entries(positions).map(([first, index]) => {
    const words = [first === '*' ? 'first' : first, 'a', 'b', 'c', 'd', 'e', 'f'];
    return [name, ...words.slice(0, index), SECRET].join(' ');
  }),
  ...(login === undefined ? [] : [`${name} user${login === 'slash' ? '/' : ':'}${SECRET}@host`]),
]);

test.each([...TOOLS.keys()])('%s has a case below', (name) => {
  expect(COMMANDS.some((command) => command.startsWith(`${name} `))).toBe(true);
});

test.each(COMMANDS)('%s', (command) => {
  for (const line of [command, `/usr/bin/${command}`, `sh -c '${command}'`]) {
    const masked = maskSecrets(line);
    expect(masked).not.toContain(SECRET);
    expect(masked).toContain('***');
  }
});

describe('what is no secret stays', () => {
  const all = [...TOOLS].flatMap(([name, tool]) =>
    tool.options.map((option) => [name, option] as const),
  );
  const short = ({ flags }: SecretOption): string[] =>
    flags.filter((flag) => /^-[^-]/.test(flag) && !flag.endsWith(':'));
  const lines = [
    // `-p` alone asks for the secret; what follows is a name.
    ...all
      .filter(([, { form }]) => form === 'joined')
      .flatMap(([name, option]) => short(option).map((flag) => `${name} ${flag} orders`)),
    // `-pw` needs a word of its own: `-pwx` is another option.
    ...all
      .filter(([, { form }]) => form === 'next')
      .flatMap(([name, option]) =>
        option.flags.map((flag) => `${name} ${contextOf(option)}${flag}orders`),
      ),
    // Without its sign it is a user alone.
    ...all
      .filter(([, { after }]) => after !== undefined)
      .flatMap(([name, option]) =>
        option.flags.map((flag) => `${name} ${contextOf(option)}${flag} orders`),
      ),
    // The option of another command of the tool.
    ...all
      .filter(([name, { when }]) => when !== undefined && name !== 'kubectl')
      .flatMap(([name, { flags }]) => flags.map((flag) => `${name} run ${flag} orders`)),
    ...[...TOOLS].flatMap(([name, { positions = {} }]) =>
      Object.keys(positions)
        .filter((first) => first !== '*')
        .map((first) => `${name} ${first}`),
    ),
    'sshpass -e ssh -p orders',
    'sqlplus @orders orders',
  ];

  test.each([...new Set(lines)])('%s', (line) => {
    expect(maskSecrets(line)).toBe(line);
  });

  test('the user and the host around one', () => {
    for (const [name, option] of all) {
      if (option.after === undefined || option.after === '/') continue;
      for (const flag of option.flags) {
        const before = `${name} ${contextOf(option)}${flag} user${option.after}`;
        expect(maskSecrets(`${before}${SECRET} orders`)).toBe(`${before}*** orders`);
      }
    }
  });
});

describe('an ordinary line passes by quickly, and no secret passes with it', () => {
  test.each(UNMISTAKABLE)('%s', (prefix) => {
    fc.assert(
      fc.property(fc.stringMatching(new RegExp(`^${prefix}$`)), (start) => {
        const body = 'AbCdEfGh0123456789jKlMnOpQr';
        expect(maskSecrets(`a ${start}${body}`)).not.toContain(body);
      }),
      { numRuns: 20 },
    );
  });

  test.each(BY_FORM.map((form) => [form.source, form] as const))('%s', (_source, form) => {
    const found = TOKENS.filter((token) => token.search(form) >= 0);
    expect(found).not.toEqual([]);
    for (const token of found) expect(maskSecrets(token)).not.toContain(token);
  });

  test.each(PHRASES.map((phrase) => [phrase.source, phrase] as const))('%s', (_source, phrase) => {
    const lines = KINDS.flatMap(({ lines: all }) => all).map((line) => line.replace('\0', SECRET));
    const found = lines.filter((line) => line.search(phrase) >= 0);
    expect(found).not.toEqual([]);
    // By itself: without what other rules know of the rest of the line.
    for (const line of found) expect(maskSecrets(line)).not.toContain(SECRET);
  });
});

test.each([
  `Set-Cookie: sid={"password": "${SECRET}", "user": "app"}; Path=/; HttpOnly`,
  `Set-Cookie: sid=curl -H 'X-Api-Key: ${SECRET}' https://host; Path=/; HttpOnly`,
  `curl -b 'session='vault login ${SECRET}'' https://host/`,
  `["sshpass", "-p", "lftp -e "open -u app,${SECRET} host; mirror a b"", "ssh", "host"]`,
])('one round is not enough: what one rule masks shows another one more: %s', (line) => {
  expect(maskSecrets(line)).not.toContain(SECRET);
});

const RATIO_MAX = 5.5;

test('an ordinary line costs a few microseconds', () => {
  const line = 'copied 1200 of 3000 files from /srv/data/a to files01:/srv/b (40%), 12.5 MB/s';
  /** Microseconds a call. The kernel counts CPU time in ticks: few calls may cost none. */
  const cost = (work: () => void): number => {
    for (let count = 0; count < 2000; count += 1) work();
    const start = process.cpuUsage();
    let [calls, usedUs] = [0, 0];
    while (usedUs < 30_000) {
      for (let count = 0; count < 1000; count += 1) work();
      calls += 1000;
      usedUs = process.cpuUsage(start).user;
    }
    return usedUs / calls;
  };
  // Against cutting the same line into words and joining them, in this process: 3.7 times. A busy moment may cost one try.
  const ratios: number[] = [];
  while (ratios.length < 3 && !ratios.some((ratio) => ratio < RATIO_MAX)) {
    ratios.push(cost(() => maskSecrets(line)) / cost(() => void line.split(/[\s/:]+/).join('-')));
  }
  expect(Math.min(...ratios)).toBeLessThan(RATIO_MAX);
});
