import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { ColoursOnly } from '../../../src/cli/terminal/colours-only.ts';

function filtered(pieces: readonly (string | Uint8Array)[], keepsColours = true): string {
  const filter = new ColoursOnly(keepsColours);
  return pieces.map((piece) => filter.next(Buffer.from(piece))).join('') + filter.end();
}

describe('the output of a job on a terminal', () => {
  test.each([
    ['text', 'ü 名前 👩‍👩‍👧\tx\n', 'ü 名前 👩‍👩‍👧\tx\n'],
    ['colours', '\u001b[1;31mred\u001b[0m\n', '\u001b[1;31mred\u001b[0m\n'],
    ['colours of the palette', '\u001b[38;5;8mx\u001b[m', '\u001b[38;5;8mx\u001b[m'],
    ['a colour that is left on', '\u001b[31mred', '\u001b[31mred\u001b[0m'],
    ['hidden text', '\u001b[8mx', 'x'],
    ['hidden text among colours', '\u001b[31;8mx', 'x'],
    ['a window title', 'a\u001b]0;title\u0007b', 'ab'],
    ['a link', '\u001b]8;;http://x\u001b\\b\u001b]8;;\u001b\\', 'b'],
    ['the clipboard', '\u001b]52;c;cm0gLXJm\u001b\\b', 'b'],
    ['cursor and screen', 'a\u001b[2J\u001b[1;1H\u001b[?1049hb', 'ab'],
    ['a question whose answer is typed', '\u001b[6n\u001b[c\u001bZb', 'b'],
    ['the same by C1', 'a\u009b2Jb\u009d0;title\u009cc', 'abc'],
    ['a C1 byte that is no UTF-8', Buffer.from([0x61, 0x9b, 0x33, 0x31, 0x6d]), 'a\ufffd31m'],
    ['bidi overrides', 'a\u202eb\u2066c', 'abc'],
    ['bell, backspace, delete', 'a\u0007b\bc\u007fd', 'abcd'],
    ['progress that is redrawn', '10%\r20%\r\n', '10%\n20%\n'],
    ['a sequence that does not end', 'a\u001b]0;xx\nb\u001b[1\nc', 'a\nb\nc'],
  ])('%s', (_what, text, shown) => {
    expect(filtered([text])).toBe(shown);
  });

  test.each([
    ...['48;5;8', '58;5;8', '38;2;8;8;8', '48;2;1;8;8', '58;2;8;1;1', '38:5:8', '38;5;8;1'],
    ...['38;2;8;8;8;31'],
  ])('has the colour %s, in which 8 hides nothing', (colour) => {
    const text = `\u001b[${colour}mx\u001b[m`;
    expect(filtered([text])).toBe(text);
  });

  test.each(['38;5;1;8', '38;2;1;2;3;8', '48;5;1;8', '58;5;1;8', '8:1', '1;8', '08'])(
    'is not hidden by %s',
    (hidden) => {
      expect(filtered([`\u001b[${hidden}mx`])).toBe('x');
    },
  );

  test('has no colours where none are wanted', () => {
    expect(filtered(['\u001b[31mred\u001b[0m'], false)).toBe('red');
  });

  test('is the same however it is cut into pieces, and holds nothing else that a terminal obeys', () => {
    const unit = fc.constantFrom(
      ...[
        '\u001b',
        '[',
        ']',
        '3',
        '1',
        ';',
        'm',
        'J',
        '\u0007',
        '\\',
        '\u009b',
        '\u009c',
        '\u0090',
      ],
      ...['a', 'ü', '\n', '\r', '\u202e', '8', ':', 'P', '(', '\u0000', '👩'],
    );
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 60 }), fc.nat(60), (units, cut) => {
        const bytes = Buffer.from(units.join(''));
        const whole = filtered([bytes]);
        const at = Math.min(cut, bytes.length);
        expect(filtered([bytes.subarray(0, at), bytes.subarray(at)])).toBe(whole);

        const rest = whole.replaceAll(/\u001b\[[\d;:]*m/g, '').replaceAll(/[\n\t]/g, '');
        expect(rest).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      }),
      { numRuns: 2_000 },
    );
  });
});
