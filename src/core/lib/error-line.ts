/** Which line of a program's error output says why it failed: seldom the last one, if more lines explain the error. */

/** `pg_dump: detail: …`, `HINT: …`, `LINE 1: …`; the caret below it; a summary that points to what stands above it. */
const EXPLANATIONS = [
  /^(?:\S+: )?(?:detail|hint|context|location|statement|query|line \d+):/i,
  /^[\^~]+$/,
  /\bsee (?:the )?(?:previous|above) (?:error|message)s?\b/i,
  /\b(?:due to|from) (?:previous|earlier) errors?\b/i,
];

/**
 * The last line that is not indented and explains no other: indented lines belong to what stands above them. The last line of
 * all if there is no such line. `undefined`: there is no text.
 */
export function errorLine(output: string): string | undefined {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const found = lines.findLast(
    (line) => !/^\s/.test(line) && !EXPLANATIONS.some((pattern) => pattern.test(line)),
  );
  return (found ?? lines.at(-1))?.trim();
}
