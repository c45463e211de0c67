/** Which parser `auto` takes for a command, and what is said of a command whose progress will be read worse than it could be. */
import { describe, expect, test } from 'vitest';
import {
  knowsAllFiles,
  parserFor,
  progressProblem,
  toolFor,
} from '../../../src/core/command-line/progress-parser.ts';

const words = (command: string): string[] => command.split(' ').filter((word) => word !== '');
const LATE =
  'rsync has no percent until it has discovered all files; --no-inc-recursive makes it do so first';
const lacks = (name: string, flags: string): string =>
  `${name} prints its progress only with ${flags}`;

/** Commands that print their progress, with the program that is read. */
const COMPLETE: readonly (readonly [command: string, parser: string, program: string])[] = [
  ['rsync -a --info=progress2 --no-inc-recursive /a /b', 'rsync', 'rsync'],
  ['rsync -a --info=name0,progress2 --delete-after /a /b', 'rsync', 'rsync'],
  ['pv -n -s 10G', 'pv', 'pv'],
  ['pv -f', 'pv', 'pv'],
  ['pv --numeric', 'pv', 'pv'],
  ['pv --force', 'pv', 'pv'],
  ['pg_restore -v -d x', 'pg_restore', 'pg_restore'],
  ['pg_restore --verbose', 'pg_restore', 'pg_restore'],
  ['pg_basebackup -P -D x', 'pg_basebackup', 'pg_basebackup'],
  ['pg_basebackup --progress', 'pg_basebackup', 'pg_basebackup'],
  ['dd if=a of=b status=progress', 'dd', 'dd'],
  ['tar --checkpoint -cf a.tar b', 'tar', 'tar'],
  ['tar --checkpoint=1000 -cf a.tar b', 'tar', 'tar'],
  ['rclone copy a b -v', 'rclone', 'rclone'],
  ['rclone copy a b -P', 'rclone', 'rclone'],
  ['rclone copy a b --verbose', 'rclone', 'rclone'],
  ['rclone copy a b --progress', 'rclone', 'rclone'],
  ['rclone copy a b --stats-log-level=NOTICE', 'rclone', 'rclone'],
  ['rclone copy a b --log-level INFO', 'rclone', 'rclone'],
  ['restic backup /a --json', 'restic', 'restic'],
  ['restic restore latest --json', 'restic', 'restic'],
  ['qemu-img convert -p a b', 'qemu_img', 'qemu-img'],
  ['qemu-img convert --progress a b', 'qemu_img', 'qemu-img'],
  ['aws s3 cp a s3://b', 'aws_s3', 'aws'],
  ['aws --profile x s3 mv a s3://b', 'aws_s3', 'aws'],
  ['aws s3 sync a s3://b', 'aws_s3', 'aws'],
  ['nice sudo /usr/bin/rsync -a --info=progress2 --no-i-r /a /b', 'rsync', '/usr/bin/rsync'],
];

test.each(COMPLETE)('%s: %s', (command, parser, program) => {
  const choice = parserFor(words(command));
  expect(choice).toMatchObject({ parser, tool: { program } });
  expect(choice).not.toHaveProperty('problem');
  expect(toolFor(choice.parser, words(command))?.program).toBe(program);
  expect(progressProblem({ parser: choice.parser }, words(command))).toBeUndefined();
  expect(progressProblem({ parser: 'auto' }, words(command))).toBeUndefined();
});

/** Commands that lack a flag. */
const INCOMPLETE: readonly (readonly [command: string, parser: string, problem: string])[] = [
  ['rsync -a /a /b', 'rsync', lacks('rsync', '--info=progress2 --no-inc-recursive')],
  ['rsync --info=name /a /b', 'rsync', lacks('rsync', '--info=progress2 --no-inc-recursive')],
  ['rsync progress2 /b', 'rsync', lacks('rsync', '--info=progress2 --no-inc-recursive')],
  ['rsync -a --info=progress2 /a /b', 'rsync', LATE],
  ['pv -s 10G', 'pv', lacks('pv', '-n, and -s SIZE if it reads from a pipe')],
  ['pg_restore -d x', 'pg_restore', lacks('pg_restore', '-v')],
  ['pg_basebackup -D x', 'pg_basebackup', lacks('pg_basebackup', '-P')],
  ['dd if=a of=b', 'dd', lacks('dd', 'status=progress')],
  ['tar -cf a.tar --checkpoint-action=x b', 'tar', lacks('tar', '--checkpoint=1000')],
  ['rclone copy a b', 'rclone', lacks('rclone', '-v --stats 10s --stats-one-line')],
  ['restic backup /a', 'restic', lacks('restic', '--json')],
  ['qemu-img convert a b', 'qemu_img', lacks('qemu-img', '-p')],
  ...['--no-progress', '--quiet', '--only-show-errors'].map(
    (flag) =>
      [
        `aws s3 cp ${flag} a s3://b`,
        'aws_s3',
        lacks('aws', 'no --no-progress, --quiet or --only-show-errors'),
      ] as const,
  ),
];

test.each(INCOMPLETE)('%s: %s, and the flag that it lacks', (command, parser, problem) => {
  const choice = parserFor(words(command));
  expect(choice).toMatchObject({ parser, problem });
  expect(progressProblem({ parser: choice.parser }, words(command))).toBe(problem);
  expect(progressProblem({ parser: 'auto' }, words(command))).toBe(problem);
});

describe('no parser', () => {
  const none = 'no known program in the command';
  test.each([
    ['true', none],
    ['', none],
    ['aws ec2 describe-instances', none],
    ['restic snapshots --json', none],
    ['constructor', none],
  ])('for %s: %s', (command, problem) => {
    expect(parserFor(words(command))).toEqual({ parser: 'none', problem });
    expect(progressProblem({ parser: 'auto' }, words(command))).toBe(problem);
  });

  test('for two programs with a progress of their own, unless one of them is pv', () => {
    const script = (text: string) => parserFor(['sh', '-c', text]);
    expect(script('rsync -a a b && tar -cf c d')).toEqual({
      parser: 'none',
      problem: 'the command runs several programs with a progress of their own (rsync, tar)',
    });
    expect(script('tar -cf - a | pv -n > b')).toMatchObject({ parser: 'pv' });
    expect(script('pv -n a | pv -n > b')).toMatchObject({ parser: 'none' });
  });
});

describe('the program that a parser reads', () => {
  test('is the only one of its kind', () => {
    const script = ['sh', '-c', 'tar -cf - a | pv -n > b'];
    expect(toolFor('tar', script)?.args).toEqual(['-cf', '-', 'a']);
    expect(toolFor('pv', script)?.name).toBe('pv');
    expect(toolFor('rsync', script)).toBeUndefined();
    expect(toolFor('pv', ['sh', '-c', 'pv -n a | pv -n > b'])).toBeUndefined();
  });
});

describe('rsync knows all files before it copies', () => {
  test.each<[string, boolean]>([
    ['-a', false],
    ['-r', false],
    ['--recursive', false],
    ['--archive', false],
    ['-t', true],
    ['', true],
    ['-am', true],
    ['-a --no-inc-recursive', true],
    ['-a --no-i-r', true],
    ['-a --delete-before', true],
    ['-a --delete-after', true],
    ['-a --prune-empty-dirs', true],
    ['-a --delay-updates', true],
  ])('with %j: %s', (args, expected) => {
    expect(knowsAllFiles({ name: 'rsync', program: 'rsync', args: words(args) })).toBe(expected);
  });
});

describe('a parser that the configuration names', () => {
  test.each(['none', 'size', 'json'] as const)('%s needs no program', (parser) => {
    expect(progressProblem({ parser }, ['true'])).toBeUndefined();
  });

  test.each([
    ['percent', 'rsync -a --info=progress2 --no-i-r a b', /percentages of single files/],
    ['regex', 'rsync -a a b', /percentages of single files/],
    ['percent', 'tool', undefined],
    ['regex', 'tar -cf a b', undefined],
    // What another program lacks does not matter.
    ['pv', 'tar -cf a b', undefined],
    ['pv', 'rsync -a a b', undefined],
    ['rsync', 'true', undefined],
  ] as const)('%s for %s', (parser, command, problem) => {
    const said = progressProblem({ parser }, words(command));
    if (problem === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(problem);
  });
});
