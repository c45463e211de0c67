/** Values as the aws command reads them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  readJsonObject,
  readParameter,
  readStructure,
  readTimestamp,
} from '../../../src/cli/notify/aws-shorthand.ts';

describe('shorthand', () => {
  test.each<[string, object]>([
    ['Status=FAILED', { Status: 'FAILED' }],
    ['Status = FAILED , ProgressPercent=4', { Status: 'FAILED', ProgressPercent: '4' }],
    ['StatusDetail="a, b",Status=FAILED', { StatusDetail: 'a, b', Status: 'FAILED' }],
    [`StatusDetail='it\\'s "5"',Status=FAILED`, { StatusDetail: `it's "5"`, Status: 'FAILED' }],
    ['StatusDetail="a \\"b\\" \\\\c"', { StatusDetail: 'a "b" \\c' }],
    ['StatusDetail=a\\, b', { StatusDetail: 'a, b' }],
    ['StatusDetail=', { StatusDetail: '' }],
    ['StatusDetail="",Status=x', { StatusDetail: '', Status: 'x' }],
    ['A.b/c:d#1-2=x', { 'A.b/c:d#1-2': 'x' }],
    ['Detail=a=b', { Detail: 'a=b' }],
  ])('%s', (text, structure) => {
    expect(readStructure(text)).toEqual(structure);
  });

  test.each([
    ['', 'expected a name such as Status at character 1 of '],
    ['Status', 'expected = at character 7 of Status'],
    ['Status=FAILED,', 'expected a name such as Status at character 15'],
    ['Status="FAILED', 'expected a closing quote at character 8'],
    ["Status='FAILED", 'expected a closing quote at character 8'],
    ['Status="a" b', 'expected a comma at character 11'],
    ['Status=a,Status=b', 'Status is there twice in Status=a,Status=b'],
  ])('%j is refused: %s', (text, message) => {
    expect(() => readStructure(text)).toThrow(message);
  });
});

describe('JSON', () => {
  test('is taken as it is, with blanks before it', () => {
    expect(readStructure(' \n{"Status": "FAILED", "ProgressPercent": 4}')).toEqual({
      ...{ Status: 'FAILED', ProgressPercent: 4 },
    });
  });

  test.each([
    ['{', 'this is no JSON: '],
    ['[]', 'expected a JSON object'],
    ['null', 'expected a JSON object'],
    ['5', 'expected a JSON object'],
  ])('%j is refused', (text, message) => {
    expect(() => readJsonObject(text)).toThrow(message);
  });
});

test('file:// is what the file holds', () => {
  const directory = mkdtempSync(join(tmpdir(), 'shorthand-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'task');
  writeFileSync(file, 'Status=FAILED');
  expect(readParameter(`file://${file}`)).toBe('Status=FAILED');
  expect(readParameter('Status=file://x')).toBe('Status=file://x');
  expect(() => readParameter(`file://${file}-none`)).toThrow(`${file}-none cannot be read: ENOENT`);
});

describe('a time', () => {
  test.each<[unknown, number]>([
    [1_790_000_000, 1_790_000_000],
    [1.9, 1],
    [-0.5, -1],
    ['1790000000', 1_790_000_000],
    [' 1790000000.9 ', 1_790_000_000],
    ['-1.5', -2],
    ['2026-09-21T14:13:20Z', 1_790_000_000],
    ['20260921T141320Z', 1_790_000_000],
    ['20260921T141320+0000', 1_790_000_000],
    ['2026-09-21T14:13:20.999Z', 1_790_000_000],
    // A local time, and a date alone is the beginning of a local day.
    ['2026-09-21T14:13:20', new Date(2026, 8, 21, 14, 13, 20).getTime() / 1000],
    ['2026-09-21', new Date(2026, 8, 21).getTime() / 1000],
  ])('%j is %d', (value, seconds) => {
    expect(readTimestamp(value)).toBe(seconds);
  });

  test.each(['', 'now', '1e3', null, undefined, {}, true, NaN, Infinity])('%j is none', (value) => {
    expect(() => readTimestamp(value)).toThrow('expected seconds since 1970 or a time such as');
  });
});
