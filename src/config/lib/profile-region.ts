/**
 * The region of a profile in the shared AWS files. The agent needs it before any SDK is loaded: a region is required, and the
 * fleet's budgets are named by it. The rest of a profile is read by the SDK (aws/client/shared-settings.ts).
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from './document.ts';

/** A larger file is not one that people write. */
const CHARACTERS_MAX = 1024 * 1024;

/** `named`: aws.profile; without it AWS_PROFILE counts, and then the profile `default`. Never throws. */
export function regionOfProfile(
  named: string | undefined,
  environment: Environment,
): string | undefined {
  const profile = named ?? filled(environment['AWS_PROFILE']) ?? 'default';
  const home = filled(environment['HOME']) ?? homedir();
  const file = (variable: string, name: string): string =>
    readOrEmpty(filled(environment[variable]) ?? join(home, '.aws', name));
  // As the SDK does for a region: the credentials file counts first.
  return (
    regionIn(file('AWS_SHARED_CREDENTIALS_FILE', 'credentials'), profile) ??
    regionIn(file('AWS_CONFIG_FILE', 'config'), profile)
  );
}

/** Of the section `[NAME]` or `[profile NAME]`. Indented lines belong to a setting with parts of its own, such as `s3 =`. */
function regionIn(text: string, profile: string): string | undefined {
  let isWithin = false;
  let region: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const [, section] = /^\s*\[([^\]]*)\]/.exec(line) ?? [];
    if (section !== undefined) {
      const name = section.trim().replace(/^profile\s+/, '');
      isWithin = name.replace(/^(["'])(.*)\1$/, '$2') === profile;
    } else if (isWithin) {
      region = /^region\s*=\s*([^\s#;]+)/.exec(line)?.[1] ?? region;
    }
  }
  return region;
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(0, CHARACTERS_MAX);
  } catch {
    return '';
  }
}

function filled(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}
