/**
 * Characters that a terminal obeys instead of showing them: C0 and C1 controls, and format characters such as the
 * overrides of the writing direction, with which a text can look like another one.
 */
const CONTROLS = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const CONTROLS_IN_A_LINE = /[^\P{Cc}\t]|[\p{Cf}\u2028\u2029]/gu;

/** One line: each control character becomes a space, tabs stay. */
export function withoutControls(text: string): string {
  return text.replaceAll(CONTROLS_IN_A_LINE, ' ');
}

/** The same JSON in ASCII escapes where a terminal would obey a character. Line breaks between the members stay. */
export function escapeControls(json: string): string {
  return json.replaceAll(CONTROLS, (character) =>
    character === '\n' ? character : character.split('').map(escaped).join(''),
  );
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
