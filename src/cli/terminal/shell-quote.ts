/** A text as one word of bash, zsh or sh, whatever is in it. */
export function posixQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
