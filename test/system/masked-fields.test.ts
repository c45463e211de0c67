/** Long texts in a log line: they are masked whole, and cut afterwards. */
import { expect, test } from 'vitest';
import { maskFields } from '../../src/system/masked-fields.ts';

const LENGTH_MAX = 8192;

test('a secret across the place where a text is cut is masked', () => {
  const secret = ' https://anna:hunter2hunter2@host/';
  for (const shown of [10, 16, 20, 26]) {
    const text = `${'x'.repeat(LENGTH_MAX - shown)}${secret}${'y'.repeat(100)}`;
    const { output } = maskFields({ output: text });
    expect(String(output)).not.toContain('hunter');
    expect(String(output).length).toBeLessThanOrEqual(LENGTH_MAX + 1);
  }
});

test('a text that just fits is whole', () => {
  const whole = 'x'.repeat(LENGTH_MAX);
  expect(maskFields({ output: whole })['output']).toBe(whole);
  expect(maskFields({ output: `${whole}y` })['output']).toBe(`${whole}…`);
});
