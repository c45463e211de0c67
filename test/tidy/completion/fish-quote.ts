/** A text as one word of fish, which knows `\'` and `\\` inside single quotes. */
export function fishQuoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}
