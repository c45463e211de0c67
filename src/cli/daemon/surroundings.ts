/** What the process hands to the agent that is composed in it. */
import type { Log, LogLevel, ServiceNotifier } from '../../ports.ts';
import type { ReadPeer } from '../../system/peer-credentials.ts';

export interface Surroundings {
  /** The configuration file, read again by a reload. */
  readonly file: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Log & { setLevel(level: LogLevel): void };
  readonly notifier: ServiceNotifier;
  readonly readPeer: ReadPeer;
}
