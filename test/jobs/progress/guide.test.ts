/** The table of tools in config/progress.md: each command is read by the parser that its row names, and lacks no flag. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { shellCommands } from '../../../src/core/lib/shell-words.ts';
import { parserFor } from '../../../src/core/command-line/progress-parser.ts';

const guide = readFileSync(join(import.meta.dirname, '../../../config/progress.md'), 'utf8');
const rows = [...guide.matchAll(/^\| [^|]+\| +`((?:[^`])+)` +\| +`(\w+)` +\|$/gm)].map(
  ([, command = '', parser = '']) => ({ command: command.replaceAll('\\|', '|'), parser }),
);

test('the guide has a row for each parser that picks by the command', () => {
  expect(rows.map(({ parser }) => parser)).toEqual(
    expect.arrayContaining(
      'rsync pv pg_restore pg_basebackup tar dd rclone restic qemu_img aws_s3'.split(' '),
    ),
  );
});

test.each(rows)('$command: $parser', ({ command, parser }) => {
  const [words = []] = shellCommands(command);
  expect(parserFor(words)).toMatchObject({ parser });
  expect(parserFor(words).problem).toBeUndefined();
  for (const wrapper of [
    ['nice', '-n', '10'],
    ['sudo', '-u', 'migrator'],
    ['flock', '-n', '/run/lock/a'],
    ['timeout', '-k', '9', '1h', 'ionice', '-c3'],
  ]) {
    expect(parserFor([...wrapper, ...words]).parser).toBe(parser);
  }
});
