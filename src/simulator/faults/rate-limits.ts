/**
 * Token buckets, one for each operation of the account: the published limits of Data Pipeline (DPG,
 * dp-limits: "regular" and "burst" rate) and an assumed one for Migration Hub, which publishes none. A call
 * that finds its bucket empty is over the limit and takes no token; whether it is refused is a setting.
 */
import * as z from 'zod';

const rateLimitSchema = z.strictObject({
  perSecond: z.number().positive(),
  burst: z.number().min(1),
});
export const rateLimitsSchema = z.record(z.string(), rateLimitSchema.nullable());

type RateLimit = Readonly<z.output<typeof rateLimitSchema>>;

/** DPG, dp-limits, "Web service call limits". */
const PIPELINE_LIMITS: Readonly<Record<string, RateLimit>> = {
  PollForTask: { perSecond: 2, burst: 100 },
  ReportTaskProgress: { perSecond: 10, burst: 100 },
  SetTaskStatus: { perSecond: 10, burst: 100 },
  ReportTaskRunnerHeartbeat: { perSecond: 1, burst: 100 },
  DescribeObjects: { perSecond: 2, burst: 100 },
  QueryObjects: { perSecond: 2, burst: 100 },
  ActivatePipeline: { perSecond: 1, burst: 100 },
  CreatePipeline: { perSecond: 1, burst: 100 },
  DeletePipeline: { perSecond: 1, burst: 100 },
  DescribePipelines: { perSecond: 1, burst: 100 },
  GetPipelineDefinition: { perSecond: 1, burst: 100 },
  ListPipelines: { perSecond: 1, burst: 100 },
  PutPipelineDefinition: { perSecond: 1, burst: 100 },
  SetStatus: { perSecond: 1, burst: 100 },
  ValidatePipelineDefinition: { perSecond: 1, burst: 100 },
};

/** Assumed, since the Hub publishes no limit. */
const HUB_LIMIT: RateLimit = { perSecond: 10, burst: 100 };

/** By operation; null removes a limit. */
export type RateLimitChanges = Readonly<Record<string, RateLimit | null>>;

export interface RateLimits {
  /** Zero if the call is within the limit; otherwise the milliseconds until a call would be. */
  take(service: string, operation: string, now: number): number;
  change(changes: RateLimitChanges, now: number): void;
}

export function createRateLimits(changes: RateLimitChanges, now: number): RateLimits {
  const buckets = new Map<string, Bucket | undefined>();
  const limitOf = (service: string, operation: string): RateLimit | undefined =>
    service === 'DataPipeline' ? PIPELINE_LIMITS[operation] : HUB_LIMIT;

  const change = (wanted: RateLimitChanges, at: number): void => {
    for (const [operation, limit] of Object.entries(wanted)) {
      buckets.set(operation, limit === null ? undefined : new Bucket(limit, at));
    }
  };
  change(changes, now);

  return {
    change,
    take(service, operation, at) {
      if (!buckets.has(operation)) {
        const limit = limitOf(service, operation);
        buckets.set(operation, limit === undefined ? undefined : new Bucket(limit, at));
      }
      return buckets.get(operation)?.take(at) ?? 0;
    },
  };
}

/** "Idle time saves up calls, to the burst limit" (DPG, dp-limits). Starts full. */
class Bucket {
  readonly #limit: RateLimit;
  #tokens: number;
  #filledAt: number;

  constructor(limit: RateLimit, now: number) {
    this.#limit = limit;
    this.#tokens = limit.burst;
    this.#filledAt = now;
  }

  take(now: number): number {
    const { perSecond, burst } = this.#limit;
    const earned = (Math.max(now - this.#filledAt, 0) / 1_000) * perSecond;
    this.#tokens = Math.min(burst, this.#tokens + earned);
    this.#filledAt = now;
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return 0;
    }
    return ((1 - this.#tokens) / perSecond) * 1_000;
  }
}
