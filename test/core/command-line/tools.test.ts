/** The program of a command, seen through shells and wrappers with their options and operands. */
import { expect, test } from 'vitest';
import { hasOption, toolsOf } from '../../../src/core/command-line/tools.ts';

test.each<[string[], string[]]>([
  [['/usr/bin/rsync', '-a'], ['rsync']],
  [['nice', '-n', '10', 'rsync'], ['rsync']],
  [['ionice', '-c3', 'nice', 'rsync'], ['rsync']],
  [['sudo', '-u', 'a', '-E', 'rsync'], ['rsync']],
  [['timeout', '-k', '9', '1h', 'rsync'], ['rsync']],
  [['flock', '-n', '/run/a', 'rsync'], ['rsync']],
  [['flock', '/run/a', '-c', 'rsync x'], ['rsync']],
  [['env', 'A=1', 'rsync'], ['rsync']],
  [
    ['sh', '-ec', 'A=1 exec nice tar cf - . | pv -n > b'],
    ['tar', 'pv'],
  ],
  [['unshare', '-n', 'nsenter', '-t', '1', '-m', 'chronic', 'rsync'], ['rsync']],
  [['systemd-inhibit', '--why', 'copy', 'gosu', 'a', 'rsync'], ['rsync']],
  [['fish', '-c', 'eval rsync -a'], ['rsync']],
  [['sh', 'script.sh'], ['sh']],
  [['su', '-', 'a', '-c', 'rsync x'], ['rsync']],
  [['su', 'a', '--command', 'rsync x'], ['rsync']],
  [['runuser', '-u', 'a', 'rsync'], ['rsync']],
  [['runuser', '-', 'a', '-c', 'rsync x'], ['rsync']],
  [['nice', '-c', 'rsync'], ['rsync']],
  [
    ['flock', '-n', '/run/a', '-c', 'tar x | pv'],
    ['tar', 'pv'],
  ],
  [['timeout', '--', '1h', 'rsync'], ['rsync']],
  [['A=1', 'B=2', 'rsync'], ['rsync']],
  [['nice', '-', 'rsync'], ['-']],
  [[...Array<string>(8).fill('nice'), 'rsync'], ['rsync']],
  [[...Array<string>(9).fill('nice'), 'rsync'], []],
  [[], []],
])('%j runs %j', (command, names) => {
  expect(toolsOf(command).map(({ name }) => name)).toEqual(names);
});

test('options: alone, in a group, with a value, not after --', () => {
  expect(hasOption(['-av'], 'v', '--verbose')).toBe(true);
  expect(hasOption(['--verbose=2'], 'v', '--verbose')).toBe(true);
  expect(hasOption(['--', '-v'], 'v', '--verbose')).toBe(false);
});

test('the program is what the command writes, and its arguments are what follows', () => {
  expect(toolsOf(['sudo', '/usr/bin/rsync', '-a', 'b'])).toEqual([
    { name: 'rsync', program: '/usr/bin/rsync', args: ['-a', 'b'] },
  ]);
});

test('a letter is one of its group only; a name is a whole one', () => {
  expect(hasOption(['-xyz'], 'y')).toBe(true);
  expect(hasOption(['-xyz'], 'a')).toBe(false);
  expect(hasOption(['xyz'], 'y')).toBe(false);
  expect(hasOption(['--verbosely'], '', '--verbose')).toBe(false);
  expect(hasOption(['-v'], '', '--verbose')).toBe(false);
  expect(hasOption(['-a', '--', '-v'], 'a')).toBe(true);
});
