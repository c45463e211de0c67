/**
 * Credentials from the SDK's default chain, cached here instead of in the clients: the chain has no time limit (a
 * `credential_process` may hang for ever), and a client that caches credentials without an expiration would never
 * notice that they were replaced. They are renewed before they expire, while calls go on.
 */
import { defined } from '../../core/lib/defined.ts';
import type { defaultProvider } from '@aws-sdk/credential-provider-node';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import { withAnswerLimit } from './answer-limit.ts';
import { SILENT_LOGGER } from './silent-logger.ts';

export type Identity = Awaited<ReturnType<ReturnType<typeof defaultProvider>>>;

export interface CredentialsOptions {
  readonly profile: string | undefined;
  readonly region: () => Promise<string | undefined>;
  /** Calls of the chain (STS, SSO) use the same connections and proxy as all others. */
  readonly handler: () => Promise<NodeHttpHandler>;
  /** How long a call waits for credentials. A slower load goes on and serves a later call. */
  readonly limitMs: number;
}

/** The SDK, too, treats credentials as expired 5 minutes early. */
const AHEAD_MS = 5 * 60_000;
/** A load that takes longer than this many limits counts as stuck: the next call starts a new one. */
const ABANDON_LIMITS = 12;
/** The least time between two discards, or between two early renewals. */
const RELOAD_GAP_MS = 30_000;

export class Credentials {
  readonly #options: CredentialsOptions;
  #held: Identity | undefined;
  #loading: { readonly identity: Promise<Identity>; readonly sinceMs: number } | undefined;
  #reloadedAtMs = -Infinity;

  constructor(options: CredentialsOptions) {
    this.#options = options;
  }

  /** For a client. The identity is marked as expired, so the client asks again before each call. */
  readonly forClient = async (): Promise<Identity> => {
    return { ...(await this.provide()), expiration: new Date(0) };
  };

  /** True if `provide` would answer at once and has nothing to renew. */
  isReady(): boolean {
    return this.#held !== undefined && this.#leftMs() >= AHEAD_MS;
  }

  /** Rejects if there are no credentials, or none in time. */
  async provide(): Promise<Identity> {
    const leftMs = this.#leftMs();
    if (this.#held === undefined || leftMs <= 0) {
      return await within(this.#load(), this.#options.limitMs);
    }
    if (leftMs < AHEAD_MS && this.#mayReload()) {
      // The cached credentials are still valid. If this renewal fails, the call that finds them expired reports it.
      this.#load().catch(() => undefined);
    }
    return this.#held;
  }

  /** The service rejected them as expired or unknown: the next call loads them anew. */
  discard(refused: Identity | undefined): void {
    if (this.#held !== undefined && this.#held !== refused) return;
    if (this.#mayReload()) this.#held = undefined;
  }

  /** What the next call would use: lets `discard` see whether a rejected call used the current credentials. */
  held(): Identity | undefined {
    return this.#held;
  }

  #leftMs(): number {
    return (this.#held?.expiration?.getTime() ?? Infinity) - Date.now();
  }

  #mayReload(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#reloadedAtMs < RELOAD_GAP_MS) return false;
    this.#reloadedAtMs = nowMs;
    return true;
  }

  #load(): Promise<Identity> {
    const nowMs = performance.now();
    const earlier = this.#loading;
    if (earlier !== undefined && nowMs - earlier.sinceMs < ABANDON_LIMITS * this.#options.limitMs) {
      return earlier.identity;
    }
    const loading = { identity: this.#resolveChain(), sinceMs: nowMs };
    this.#loading = loading;
    const settled = (identity?: Identity): void => {
      if (this.#loading !== loading) return;
      this.#loading = undefined;
      if (identity !== undefined) this.#held = identity;
    };
    loading.identity.then(settled, () => settled());
    return loading.identity;
  }

  async #resolveChain(): Promise<Identity> {
    const { defaultProvider: createProvider } = await import('@aws-sdk/credential-provider-node');
    const { profile, handler } = this.#options;
    const region = await this.#options.region();
    // The SDK's clients of STS and SSO look for their endpoints in the profile of AWS_PROFILE alone.
    if (profile !== undefined) process.env['AWS_PROFILE'] = profile;
    const provider = createProvider(
      defined({
        profile,
        // Read the files again: an operator may have replaced them since.
        ignoreCache: true,
        logger: SILENT_LOGGER,
        clientConfig: { requestHandler: await handler(), logger: SILENT_LOGGER },
        // The caller's region: for STS if the profile has none. SSO has a region of its own (sso_region).
        parentClientConfig: defined({ region }),
      }),
    );
    return await withAnswerLimit(provider);
  }
}

/** The promise, or a rejection after `limitMs`; the promise itself goes on. */
async function within<Value>(promise: Promise<Value>, limitMs: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no credentials within ${limitMs / 1000} s`));
    }, limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
