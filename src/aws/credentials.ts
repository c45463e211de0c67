/**
 * Credentials from the SDK's default chain, held here instead of in the clients: the chain has no time limit
 * of its own (a `credential_process` may hang for ever), and a client that holds credentials without an end
 * would never see that they were replaced. They are loaded ahead of their end while calls go on.
 */
import type { defaultProvider } from '@aws-sdk/credential-provider-node';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import { SILENT_LOGGER } from './quiet.ts';

export type Identity = Awaited<ReturnType<ReturnType<typeof defaultProvider>>>;

export interface CredentialsOptions {
  readonly profile: string | undefined;
  readonly region: string | undefined;
  /** Calls of the chain (STS, SSO) take the same way, proxy included. */
  readonly handler: () => Promise<NodeHttpHandler>;
  /** How long a call waits for credentials. A load that takes longer goes on and serves the next call. */
  readonly limitMs: number;
}

/** The SDK itself counts credentials as ended 5 minutes before they are. */
const AHEAD_MS = 5 * 60_000;
/** A load that has not ended after so many limits never will: the next call begins a new one. */
const ABANDON_LIMITS = 12;
/** How soon credentials may be thrown away again, or an early load be tried again, at the earliest. */
const RELOAD_GAP_MS = 30_000;

export class Credentials {
  readonly #options: CredentialsOptions;
  #held: Identity | undefined;
  #loading: { readonly identity: Promise<Identity>; readonly sinceMs: number } | undefined;
  #reloadedAtMs = -Infinity;

  constructor(options: CredentialsOptions) {
    this.#options = options;
  }

  /** For a client: it asks before each call, since what it gets says that it has ended already. */
  readonly forClient = async (): Promise<Identity> => {
    return { ...(await this.provide()), expiration: new Date(0) };
  };

  /** Rejects when there are none, or none in time. */
  async provide(): Promise<Identity> {
    const leftMs = this.#leftMs();
    if (this.#held === undefined || leftMs <= 0) {
      return await within(this.#load(), this.#options.limitMs);
    }
    if (leftMs < AHEAD_MS && this.#mayReload()) {
      // What is held is still good: a failure here is seen by the call that finds it ended.
      this.#load().catch(() => undefined);
    }
    return this.#held;
  }

  /** The service refused them as ended or unknown: the next call gets freshly loaded ones. */
  discard(refused: Identity | undefined): void {
    if (this.#held !== undefined && this.#held !== refused) return;
    if (this.#mayReload()) this.#held = undefined;
  }

  /** What the next call would use, to tell later whether a refused call used the same. */
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
    const { profile, region, handler } = this.#options;
    const provider = createProvider({
      ...(profile === undefined ? {} : { profile }),
      // Files are read again: an operator may have replaced them since.
      ignoreCache: true,
      logger: SILENT_LOGGER,
      clientConfig: {
        requestHandler: await handler(),
        logger: SILENT_LOGGER,
        ...(region === undefined ? {} : { region }),
      },
    });
    return await provider();
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
