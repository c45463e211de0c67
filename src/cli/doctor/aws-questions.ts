/**
 * What `doctor` asks AWS: each question once, whoever wants its answer; and what an answer that is a refusal means for
 * whoever has to mend it.
 */
import type { Probe } from '../../aws/probe.ts';
import type { Configuration } from '../../config/build/configuration.ts';
import type { Call, Operation, Outcome } from '../../core/model/call.ts';
import type { Finding } from './report.ts';
import { missingStatement } from './iam-policy.ts';
import type { Where } from './iam-policy.ts';

export interface AwsDoctor {
  readonly configuration: Configuration;
  readonly probe: Probe;
  readonly environment: NodeJS.ProcessEnv;
  readonly nowMs: () => number;
  /** As the runner calls itself. */
  readonly taskRunnerId: string;
}

export class Questions {
  readonly doctor: AwsDoctor;
  readonly #probe: Probe;
  readonly #outcomes = new Map<Operation, Promise<Told>>();
  #hasCredentials: Promise<boolean> | undefined;

  constructor(doctor: AwsDoctor) {
    this.doctor = doctor;
    this.#probe = doctor.probe;
  }

  /** Without credentials every call fails for the one reason that is told already. */
  hasCredentials(): Promise<boolean> {
    this.#hasCredentials ??= this.#probe.credentials().then(
      () => true,
      () => false,
    );
    return this.#hasCredentials;
  }

  ask(call: Call): Promise<Told> {
    const known = this.#outcomes.get(call.operation);
    if (known !== undefined) return known;
    const told = this.#ask(call);
    this.#outcomes.set(call.operation, told);
    return told;
  }

  /** All answers so far, for what they say of the service's clock. */
  answers(): Promise<Told[]> {
    return Promise.all(this.#outcomes.values());
  }

  /** Where writes go; `undefined`: it cannot be known. */
  async hubRegion(): Promise<string | undefined> {
    const named = this.doctor.configuration.settings.migrationHub?.region;
    if (named !== undefined) return named;
    const { outcome } = await this.ask({ operation: 'GetHomeRegion' });
    return outcome.kind === 'accepted' ? outcome.answer.homeRegion : undefined;
  }

  async where(): Promise<Where> {
    const region = (await this.hubRegion()) ?? '*';
    const account = await this.#probe.credentials().then(
      (who) => who.account ?? '*',
      () => '*',
    );
    return { account, region };
  }

  async #ask(call: Call): Promise<Told> {
    const sentAtMs = this.doctor.nowMs();
    const outcome = await this.#probe.services.send(call);
    return { outcome, middleMs: (sentAtMs + this.doctor.nowMs()) / 2 };
  }
}

interface Told {
  readonly outcome: Outcome;
  /** Half-way between the call and its answer, by the host's clock. */
  readonly middleMs: number;
}

/** The finding of a call that was not accepted. */
export async function failure(
  operation: Operation,
  outcome: Exclude<Outcome, { kind: 'accepted' }>,
  asked: Questions,
): Promise<Finding> {
  const { dataPipeline, migrationHub } = asked.doctor.configuration.settings;
  const message = outcome.reason;
  switch (outcome.kind) {
    case 'denied': {
      if (!/AccessDenied|UnauthorizedOperation|NotAuthorized/u.test(message)) {
        return {
          verdict: 'failed',
          message,
          remedy: 'the credentials are not accepted: renew them',
        };
      }
      const where = await asked.where();
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
      return { verdict: 'warning', message: `${message}: nothing is known of the permission` };
    case 'disabled':
      return {
        verdict: 'failed',
        message,
        remedy:
          'open Migration Hub in the console once, so that the role migrationhub-discovery is made; else check that Application Discovery Service may be used',
      };
    case 'refused':
      return {
        verdict: 'failed',
        message,
        remedy:
          'the request is not accepted: look at the values of migrationHub, and at its region',
      };
    case 'missing':
    case 'gone':
      return { verdict: 'failed', message, remedy: 'what it names is not known to the service' };
    case 'unavailable':
      return {
        verdict: 'failed',
        message,
        remedy: 'the service or the way to it fails: see the checks of the way',
      };
  }
}
