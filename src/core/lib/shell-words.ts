/** Splits the text of a shell into its simple commands, well enough to see which programs it runs. */

/** A longer script is not searched to its end. */
const CHARACTERS_MAX = 64 * 1024;

/** Blanks; comment; operator or line end; redirection with its target; a word with its quoted parts. */
const TOKEN =
  /[ \t\r]+|(?<![^\s;&|()])#[^\n]*|\\\n|(&&|\|\||\|&|;;|[;|()\n]|&(?![>\d]))|\d*(?:&?>>?|<<?-?|<>)(?:&[\d-]+|[ \t]*[^\s;|&()<>]+)|((?:[^\s;|&()<>'"\\]|\\[^\n]|'[^']*'|"(?:[^"\\]|\\[^])*"|['"])+)|./g;

/** Words of the shell before which or after which a command stands. */
const KEYWORDS = new Set(
  '! { } if then elif else fi while until do done time exec eval command builtin'.split(' '),
);

/** Each command with its words, without assignments before it, redirections and quotes. */
export function shellCommands(text: string): string[][] {
  const commands: string[][] = [];
  let words: string[] = [];
  const end = (): void => {
    if (words.length > 0) commands.push(words);
    words = [];
  };
  for (const [, operator, word] of text.slice(0, CHARACTERS_MAX).matchAll(TOKEN)) {
    if (operator !== undefined) end();
    if (word === undefined) continue;
    if (words.length === 0 && (KEYWORDS.has(word) || /^[A-Za-z_]\w*=/.test(word))) continue;
    words.push(unquoted(word));
  }
  end();
  return commands;
}

function unquoted(word: string): string {
  return word.replace(
    /'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])/g,
    (_all, single?: string, double?: string, escaped?: string) =>
      single ?? escaped ?? (double ?? '').replace(/\\([$`"\\\n])/g, '$1'),
  );
}
