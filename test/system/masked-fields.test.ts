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
