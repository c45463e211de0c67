/** Reads the configuration of the daemon, which only root and the agent's user may be able to change. */
import { hostname } from 'node:os';
import { readConfiguration } from '../../config/load.ts';
import type { Loaded } from '../../config/load.ts';
import { checkTrustedPath, UntrustedPath } from '../../system/trusted-path.ts';

export async function readTrustedConfiguration(
  file: string,
  environment: NodeJS.ProcessEnv,
): Promise<Loaded> {
  try {
    checkTrustedPath(file);
  } catch (error) {
    if (!(error instanceof UntrustedPath)) throw error;
    return {
      ok: false,
      problems: [{ line: 1, column: 1, key: '(file)', message: error.message }],
    };
  }
  return await readConfiguration(file, environment, hostname());
}
