/**
 * Masks secrets in command lines, URLs, output and errors before they leave the host or reach a log (P10).
 * Rather masks a harmless word than lets a password pass. config/SECRETS.md lists what is known.
 *
 * Text must be masked whole and only then cut: half a secret is no longer known as one. Text that comes in pieces may
 * end in the middle of a secret, so that the rules also know a secret that the end of the text cuts off.
 *
 * Every rule is linear in the length of the text: keywords are searched without a prefix, and what stands around one is
 * read within fixed bounds. Masking a masked text changes nothing.
 */
import { maskToolOptions } from './secret-flags.ts';
import { maskPrivateKeys } from './secret-keys.ts';
import { maskNamedValues } from './secret-names.ts';
import { maskPhrases } from './secret-phrases.ts';
import { maskTokens } from './secret-tokens.ts';
import { maskUrls } from './secret-urls.ts';

/** What one rule masks may let another see more. */
const ROUNDS_MAX = 4;

export function maskSecrets(text: string): string {
  let masked = text;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const before = masked;
    masked = maskOnce(before);
    if (masked === before) break;
  }
  return masked;
}

/** The words of a command line, masked together: a flag and its secret are two words. */
export function maskCommand(words: readonly string[]): readonly string[] {
  const masked = maskSecrets(JSON.stringify(words));
  try {
    const read = JSON.parse(masked) as readonly string[];
    if (read.length === words.length) return read.map(maskSecrets);
  } catch {
    // What was masked reached over a border between two words.
  }
  return [maskSecrets(words.join(' '))];
}

function maskOnce(text: string): string {
  return maskToolOptions(maskNamedValues(maskPhrases(maskTokens(maskUrls(maskPrivateKeys(text))))));
}
