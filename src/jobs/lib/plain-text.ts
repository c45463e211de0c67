/**
 * Turns the output of programs into plain text: no colours, no control characters, no line breaks. Secrets are masked before
 * anything is cut, so that no half of one is left.
 */

/** Colours, cursor moves, window titles (ECMA-48 sequences). */
const ANSI = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;

/** C0 and C1 controls, and the separators at which a terminal or a log would break the line. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/** One line of plain text. */
export function plainLine(text: string): string {
  return text.replace(ANSI, '').replace(CONTROLS, ' ').trim();
}

/** A detail: one plain line without secrets, at most `charactersMax` long. */
export function plainDetail(
  text: string,
  charactersMax: number,
  mask: (text: string) => string,
): string {
  return cutEnd(mask(plainLine(text)), charactersMax);
}

/** Cuts the end off and leaves no half of a surrogate pair. */
function cutEnd(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  return `${text.slice(0, charactersMax - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
