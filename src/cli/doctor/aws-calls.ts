/** The calls of `doctor`: each is made once, and the checks share its answer; and the remedy of a call that failed. */
import type { Probe } from '../../aws/probe.ts';
import type { Configuration } from '../../config/build/configuration.ts';
import type { Call, Operation, Outcome } from '../../core/model/call.ts';
import type { Finding } from '../file-system/finding.ts';
import { missingStatement } from './iam-policy.ts';
import type { Where } from './iam-policy.ts';

export interface AwsDoctor {
  readonly configuration: Configuration;
  readonly probe: Probe;
  readonly environment: NodeJS.ProcessEnv;
  readonly nowMs: () => number;
  /** The name of the task runner. */
  readonly taskRunnerId: string;
}

export class Calls {
  readonly doctor: AwsDoctor;
  readonly #probe: Probe;
  readonly #outcomes = new Map<Operation, Promise<Answer>>();
  #hasCredentials: Promise<boolean> | undefined;
  #identity: ReturnType<Probe['identity']> | undefined;

  constructor(doctor: AwsDoctor) {
    this.doctor = doctor;
    this.#probe = doctor.probe;
  }

  /** Without credentials every call fails, for the reason that the credentials check shows. */
  hasCredentials(): Promise<boolean> {
    this.#hasCredentials ??= this.#probe.credentials().then(
      () => true,
      () => false,
    );
    return this.#hasCredentials;
  }

  identity(): ReturnType<Probe['identity']> {
    this.#identity ??= this.#probe.identity();
    return this.#identity;
  }

  ask(call: Call): Promise<Answer> {
    const known = this.#outcomes.get(call.operation);
    if (known !== undefined) return known;
    const answer = this.#ask(call);
    this.#outcomes.set(call.operation, answer);
    return answer;
  }

  /** All answers so far, for the service's time in them. */
  answers(): Promise<Answer[]> {
    return Promise.all(this.#outcomes.values());
  }

  /** Where writes go; `undefined` if that is unknown. */
  async hubRegion(): Promise<string | undefined> {
    const named = this.doctor.configuration.settings.migrationHub?.region;
    if (named !== undefined) return named;
    const { outcome } = await this.ask({ operation: 'GetHomeRegion' });
    return outcome.kind === 'accepted' ? outcome.answer.homeRegion : undefined;
  }

  async where(): Promise<Where> {
    const region = (await this.hubRegion()) ?? '*';
    return { account: await this.#account(), region };
  }

  async #account(): Promise<string> {
    try {
      const { account } = await this.#probe.credentials();
      return account ?? (await this.identity())?.account ?? '*';
    } catch {
      return '*';
    }
  }

  async #ask(call: Call): Promise<Answer> {
    const sentAtMs = this.doctor.nowMs();
    const outcome = await this.#probe.services.send(call);
    return { outcome, middleMs: (sentAtMs + this.doctor.nowMs()) / 2 };
  }
}

interface Answer {
  readonly outcome: Outcome;
  /** Half-way between the call and its answer, by the host's clock. */
  readonly middleMs: number;
}

/** The finding of a call that was not accepted. */
export async function failure(
  operation: Operation,
  outcome: Exclude<Outcome, { kind: 'accepted' }>,
  calls: Calls,
): Promise<Finding> {
  const { dataPipeline, migrationHub } = calls.doctor.configuration.settings;
  const message = outcome.reason;
  switch (outcome.kind) {
    case 'denied': {
      if (!/AccessDenied|UnauthorizedOperation|NotAuthorized/u.test(message)) {
        return {
          verdict: 'failed',
          message,
          remedy: 'AWS does not accept the credentials: renew them',
        };
      }
      const where = await calls.where();
      const { stream = '' } = migrationHub ?? {};
      const { workerGroups = [] } = dataPipeline ?? {};
      return {
        verdict: 'failed',
        message,
        remedy: `allow it (doctor --iam-policy prints all that this configuration needs)`,
        iam: missingStatement(operation, stream, workerGroups, where),
      };
    }
    case 'no-home-region':
      return { verdict: 'failed', message, remedy: 'set a home region for the account' };
    case 'throttled':
      return { verdict: 'warning', message: `${message}: whether it is permitted is unknown` };
    case 'disabled':
      return {
        verdict: 'failed',
        message,
        remedy:
          'open Migration Hub in the console once, which creates the role migrationhub-discovery; if it exists, check that Application Discovery Service may be used',
      };
    case 'refused':
      return {
        verdict: 'failed',
        message,
        remedy: 'AWS rejects the request: check the values of migrationHub, and its region',
      };
    case 'missing':
    case 'gone':
      return {
        verdict: 'failed',
        message,
        remedy: 'the service does not know what the request names',
      };
    case 'unavailable':
      return {
        verdict: 'failed',
        message,
        remedy: 'the service or the network path to it fails: see the network checks',
      };
  }
}
