/** The configuration file, read again while the agent runs. */
import type { Configuration } from '../../config/build/configuration.ts';
import { formatProblem } from '../../config/lib/problem.ts';
import { planReload } from '../../config/reload.ts';
import type { Reply } from '../../core/model/action.ts';
import type { Surroundings } from './surroundings.ts';
import { readTrustedConfiguration } from './trusted-configuration.ts';

/** A bad file is refused with its problems, and the configuration in force stays. */
export async function reload(
  { file, environment, log, notifier }: Surroundings,
  running: Configuration,
  apply: (configuration: Configuration) => void,
): Promise<Reply> {
  notifier.reloading();
  try {
    const loaded = await readTrustedConfiguration(file, environment);
    if (!loaded.ok) {
      const problems = loaded.problems.map((problem) => formatProblem(file, problem));
      log.write('error', 'config.refused', 'new configuration refused; the one in force stays', {
        problems,
      });
      return { ok: false, code: 'invalid', message: problems.join('\n') };
    }
    const { configuration, needsRestart } = planReload(running, loaded.configuration);
    apply(configuration);
    log.write('info', 'config.reloaded', 'configuration read again', { needsRestart });
    const rest =
      needsRestart.length === 0
        ? ''
        : `; these take effect at a restart: ${needsRestart.join(', ')}`;
    return { ok: true, message: `${file} applied${rest}` };
  } finally {
    notifier.ready();
  }
}
