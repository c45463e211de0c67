/** How the program is started from a checkout, where it is not on the PATH. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const LAUNCHER = fileURLToPath(new URL('../migration-agent', import.meta.url));

/** Absent: this is a package, whose launcher is on the PATH. */
export function checkoutLauncher(): string | undefined {
  return existsSync(LAUNCHER) ? LAUNCHER : undefined;
}
