/** A text as one word of a shell, whatever is in it. */

/** For bash and zsh. */
export function posixQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** For fish, which knows `\'` and `\\` inside single quotes. */
export function fishQuoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}
