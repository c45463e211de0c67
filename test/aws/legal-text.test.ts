/**
 * Text for the services: whatever a job prints, nothing goes out that they refuse.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hubText, pipelineErrorId, pipelineText } from '../../src/aws/legal-text.ts';
import { anyText } from '../support/any-text.ts';

const anything = fc.oneof(
  anyText(),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 200 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom(
    '\ud800',
    'a\udfffb',
    '\u0085x\u2028',
    '\u001b[1;31mred\u001b[0m',
    '\uffff\ufffe',
  ),
);

/** The patterns of the API models, as they work in JavaScript. */
const HUB_PATTERN = /^[^\n\r\u0085\u2028\u2029]*$/u;
const PIPELINE_PATTERN = /^[\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}\r\n\t]*$/u;

describe('text for Migration Hub', () => {
  test('is one legal line within its length, whatever it was', () => {
    fc.assert(
      fc.property(anything, fc.integer({ min: 1, max: 60 }), (text, maxPoints) => {
        const legal = hubText(text, maxPoints);
        expect(legal).toMatch(HUB_PATTERN);
        expect(Array.from(legal).length).toBeLessThanOrEqual(maxPoints);
        expect(legal.isWellFormed()).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('is counted in code points: 2,500 of them pass, of one more the end is cut', () => {
    const full = '😀'.repeat(2500);
    expect(hubText(full)).toBe(full);
    expect(hubText(`${full}!`)).toBe(`${'😀'.repeat(2499)}…`);
  });

  test('that is legal stays as it is', () => {
    expect(hubText('40 % of /srv/ä done (12 files)')).toBe('40 % of /srv/ä done (12 files)');
    expect(hubText('one\r\n\ttwo')).toBe('one two');
  });

  test.each(['\u0000', '\u001f', '\u007f', '\u0080', '\u009f', '\u2028', '\u2029'])(
    'has a blank for %j',
    (control) => {
      expect(hubText(`one${control}two`)).toBe('one two');
    },
  );

  test.each(['\u0020', '\u007e', '\u00a0', '\u2027', '\u202a'])('keeps %j', (character) => {
    expect(hubText(`one${character}two`)).toBe(`one${character}two`);
  });
});

describe('text for Data Pipeline', () => {
  const bounds = { maxPoints: 40, maxBytes: 100, keep: 'end' } as const;

  test('is legal within its length and its bytes, whatever it was', () => {
    fc.assert(
      fc.property(anything, fc.constantFrom('start' as const, 'end' as const), (text, keep) => {
        const legal = pipelineText(text, { ...bounds, keep });
        expect(legal).toMatch(PIPELINE_PATTERN);
        expect(Array.from(legal).length).toBeLessThanOrEqual(40);
        expect(Buffer.byteLength(legal)).toBeLessThanOrEqual(100);
        expect(legal.isWellFormed()).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('keeps lines and tabs, loses colours and controls', () => {
    expect(pipelineText('\u001b[31ma\u001b[0m\tb\r\n\u0000c\u0007', bounds)).toBe('a\tb\r\nc');
  });

  test('keeps the first and the last code point of each range that is allowed', () => {
    const allowed = ' \ud7ff\ue000\ufffd\u{10000}\u{10ffff}\t\n\r';
    expect(pipelineText(allowed, bounds)).toBe(allowed);
    expect(pipelineText('a\u001f\ufffe\uffffb', bounds)).toBe('ab');
  });

  test('keeps the end where the end tells, and the start otherwise', () => {
    const text = `${'a'.repeat(50)}z`;
    expect(pipelineText(text, bounds)).toBe(`…${'a'.repeat(38)}z`);
    expect(pipelineText(text, { ...bounds, keep: 'start' })).toBe(`${'a'.repeat(39)}…`);
  });

  test('has no errorId with the reserved prefix', () => {
    expect(pipelineErrorId('Service_Error')).toBe('Job_Service_Error');
    expect(pipelineErrorId('JobFailed')).toBe('JobFailed');
    expect(pipelineErrorId('service_error')).toBe('Job_service_error');
    expect(pipelineErrorId('x'.repeat(1024))).toBe('x'.repeat(1024));
    expect(Buffer.byteLength(pipelineErrorId('x'.repeat(1025)))).toBeLessThanOrEqual(1024);
  });
});
