/** Long texts in a log line: they are masked whole, and cut afterwards. */
import { expect, test } from 'vitest';
import { maskFields } from '../../src/system/masked-fields.ts';

const LENGTH_MAX = 8192;

test.each([
  [' https://anna:hunter2hunter2@host/', 'hunter'],
  // Nothing shows that these are secrets before their end.
  [' anna:hunter2hunter2@host/', 'hunter'],
  [' jdbc:oracle:thin:anna/hunter2hunter2@host', 'hunter'],
  [' eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P', 'eyJ'],
])('a secret across the place where a text is cut is masked: %s', (secret, shown) => {
  for (let before = 1; before < secret.length; before += 1) {
    const text = `${'x'.repeat(LENGTH_MAX - before)}${secret} ${'y'.repeat(100)}`;
    const { output } = maskFields({ output: text });
    expect(String(output)).not.toContain(shown);
    expect(String(output).length).toBeLessThanOrEqual(LENGTH_MAX + 1);
  }
});

test('a text that just fits is whole', () => {
  const whole = 'x'.repeat(LENGTH_MAX);
  expect(maskFields({ output: whole })['output']).toBe(whole);
  expect(maskFields({ output: `${whole}y` })['output']).toBe(`${whole}…`);
});

test('a list of texts and others is masked one by one', () => {
  const { list } = maskFields({
    list: ['sshpass', 5, { password: 'x' }, 'https://anna:hunter2hunter2@host/'],
  });
  expect(list).toEqual(['sshpass', 5, { password: '***' }, expect.not.stringContaining('hunter2')]);
  expect(maskFields({ list: [] })).toEqual({ list: [] });
});

test('what is nested is shown six levels deep, and two hundred entries wide', () => {
  let deep: unknown = 'bottom';
  for (let level = 0; level < 7; level += 1) deep = { in: deep };
  expect(JSON.stringify(maskFields({ deep }))).toBe(
    '{"deep":' + '{"in":'.repeat(6) + '"…"' + '}'.repeat(7),
  );
  const wide = Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`k${index}`, index]));
  expect(Object.keys(maskFields({ wide })['wide'] as object)).toHaveLength(200);
  expect(maskFields({ wide: Object.keys(wide) })['wide']).toHaveLength(200);
});

test('a map is shown by its keys, and what its names hide is hidden', () => {
  const map = new Map<unknown, unknown>([
    ['token', 'x'],
    [7, 'seven'],
  ]);
  expect(maskFields({ map })).toEqual({ map: { token: '***', 7: 'seven' } });
});

test('an error shows its type, code, cause and errors, and no empty ones', () => {
  const cause = Object.assign(new TypeError('inner'), { code: 'ENOENT' });
  const { err } = maskFields({ err: new Error('outer', { cause }) });
  expect(err).toMatchObject({
    ...{ type: 'Error', message: 'outer' },
    cause: { type: 'TypeError', message: 'inner', code: 'ENOENT' },
  });
  expect(Object.keys(err as object)).toEqual(['type', 'message', 'stack', 'cause']);
  const odd = Object.assign(new Error('odd'), { code: 5 });
  expect(maskFields({ odd })['odd']).not.toHaveProperty('code');
});

test('causes and errors within errors are shown six levels deep', () => {
  const nest = (wrap: (inner: unknown) => Error): unknown => {
    let error: unknown = 'bottom';
    for (let level = 0; level < 8; level += 1) error = wrap(error);
    return maskFields({ error })['error'];
  };
  const depthOf = (value: unknown, next: (value: never) => unknown): number =>
    typeof value === 'object' && value !== null ? 1 + depthOf(next(value as never), next) : 0;
  const caused = nest((cause) => new Error('x', { cause }));
  expect(depthOf(caused, ({ cause }: { cause: unknown }) => cause)).toBe(6);
  const grouped = nest((inner) => new AggregateError([inner], 'x'));
  // The list is a level, too.
  expect(depthOf(grouped, ({ errors }: { errors: unknown[] }) => errors[0])).toBe(3);
});
