/** Shell text as commands and words: quotes, operators, redirections, comments, keywords. */
import { expect, test } from 'vitest';
import { shellCommands } from '../../../src/core/lib/shell-words.ts';

test.each<[string, string[][]]>([
  ['a b', [['a', 'b']]],
  [`a 'b c' "d \\" e" f\\ g`, [['a', 'b c', 'd " e', 'f g']]],
  ['a | b && c; d & e', [['a'], ['b'], ['c'], ['d'], ['e']]],
  ['A=1 B=2 a >out 2>&1 <in b', [['a', 'b']]],
  ['a # rest\nb', [['a'], ['b']]],
  ['if a; then b; fi', [['a'], ['b']]],
  ['', []],
])('%j', (text, commands) => {
  expect(shellCommands(text)).toEqual(commands);
});

test('a script of more than 64 kB is not read to its end', () => {
  const script = (blanks: number): string => `first;${' '.repeat(blanks)}last`;
  expect(shellCommands(script(60_000)).flat()).toEqual(['first', 'last']);
  expect(shellCommands(script(70_000)).flat()).toEqual(['first']);
});
