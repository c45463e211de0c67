/** Who may run jobs as other users, by the capabilities in /proc/self/status. */
import { expect, test } from 'vitest';
import { handsDownCapabilities, maySwitchUsers } from '../../../src/core/lib/privileges.ts';

function status(sets: Partial<Record<'CapEff' | 'CapAmb' | 'CapInh', string>>): string {
  const { CapAmb = '0', CapEff = '0', CapInh = '0' } = sets;
  return `Name:\tnode\nCapInh:\t${CapInh}\nCapPrm:\t1ff\nCapEff:\t${CapEff}\nCapAmb:\t${CapAmb}\n`;
}

test.each([
  ['root', '000001ffffffffff', true],
  ['KILL, SETGID and SETUID', 'e0', true],
  ['without KILL', 'c0', false],
  ['without SETGID', 'a0', false],
  ['without SETUID', '60', false],
  ['nobody', '0', false],
])('%s', (_who, mask, expected) => {
  expect(maySwitchUsers(status({ CapEff: mask }))).toBe(expected);
});

test('without the line nobody may', () => {
  expect(maySwitchUsers('Name:\tnode\n')).toBe(false);
});

test('ambient or inheritable capabilities would go to every program', () => {
  expect(handsDownCapabilities(status({ CapEff: 'e0' }))).toBe(false);
  expect(handsDownCapabilities(status({ CapAmb: '80' }))).toBe(true);
  expect(handsDownCapabilities(status({ CapInh: '1' }))).toBe(true);
});
