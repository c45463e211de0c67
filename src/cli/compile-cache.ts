/**
 * Compiled code is kept between two commands. What is in the cache is run, so it lies where only this user writes: below
 * the home directory of the user database, never where a variable points to, and never in /tmp, which is Node's default.
 */
import { statSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { userInfo } from 'node:os';
import { join } from 'node:path';

const OTHERS_WRITE = 0o022;

export function useCompileCache(): void {
  try {
    const { homedir, uid } = userInfo();
    const home = statSync(homedir);
    if (home.uid !== uid || (home.mode & OTHERS_WRITE) !== 0) return;
    enableCompileCache(join(homedir, '.cache', 'migration-agent'));
  } catch {
    // A user without a home: commands only start a little slower.
  }
}
