/** For `doctor`: whether the fleet's Redis accepts this host, and its memory policy. */
import { defined } from '../../core/lib/defined.ts';
import { maskSecrets } from '../../core/lib/secrets.ts';

const ANSWER_MS = 3_000;

export interface RedisFound {
  readonly version: string;
  readonly tookMs: number;
  /** What Redis does when its memory is full. Only `noeviction` never drops budgets. */
  readonly evictionPolicy?: string;
}

/** Rejects with the reason if Redis does not answer in time, or refuses this host. */
export async function probeRedis(url: string): Promise<RedisFound> {
  const { Redis } = await import('./redis-client.ts');
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: ANSWER_MS,
    commandTimeout: ANSWER_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let last: Error | undefined;
  client.on('error', (error: Error) => (last = error));
  const sinceMs = performance.now();
  try {
    await client.connect();
    await client.ping();
    const tookMs = Math.round(performance.now() - sinceMs);
    const info = await client.info();
    const read = (name: string): string | undefined =>
      new RegExp(`^${name}:(.*?)\r?$`, 'mu').exec(info)?.[1];
    const evictionPolicy = read('maxmemory_policy');
    return defined({ version: read('redis_version') ?? 'unknown', tookMs, evictionPolicy });
  } catch (error) {
    const message = last?.message ?? (error instanceof Error ? error.message : String(error));
    throw new Error(maskSecrets(message), { cause: error });
  } finally {
    client.disconnect();
  }
}
