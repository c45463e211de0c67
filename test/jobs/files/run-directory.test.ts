/** Where the files of a run lie, whatever its job is called. */
import fc from 'fast-check';
import { basename, dirname, join, relative, sep } from 'node:path';
import { expect, test } from 'vitest';
import { runLogPaths } from '../../../src/jobs/files/run-directory.ts';
import { runDirectory } from '../../../src/jobs/files/run-directory.ts';

test('an ordinary name stays readable', () => {
  expect(runLogPaths('/state', 'nightly-files', 7)).toEqual({
    stdout: '/state/runs/nightly-files/7/stdout.log',
    stderr: '/state/runs/nightly-files/7/stderr.log',
  });
});

test('any name has a directory of its own inside runs, and can be read back from it', () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }).map((text) => text.toWellFormed()),
    fc.constantFrom(
      '',
      '.',
      '..',
      '/',
      '../../etc',
      'a/b',
      'a%2Fb',
      'a+',
      '+',
      '-',
      'ü'.repeat(200),
    ),
  );
  fc.assert(
    fc.property(name, (job) => {
      const directory = runDirectory('/state', job, 3);
      const pieces = relative(join('/state', 'runs'), dirname(directory)).split(sep);
      expect(basename(directory)).toBe('3');
      expect(pieces.every((piece) => piece !== '..' && piece !== '.' && piece.length <= 255)).toBe(
        true,
      );
      expect(pieces.slice(0, -1).every((piece) => piece.endsWith('+'))).toBe(true);
      const encoded = pieces.map((piece) => piece.replace(/\+$/, '')).join('');
      expect(decodeURIComponent(encoded === '%' ? '' : encoded)).toBe(job);
    }),
  );
});
