/**
 * Pages of a list, and the tokens between them. A token has its position, its list, the arguments of the call ("keep
 * all other arguments unchanged") and its age. A checksum seals it, so that a token of another list or another call,
 * or an invented one, is refused: with InvalidToken at the Hub (API, ListMigrationTaskUpdates), with
 * InvalidRequestException at Data Pipeline, which models no other error for it and states no age.
 */
import { createHash } from 'node:crypto';
import type { ServiceError } from './errors.ts';

export interface Pager {
  /** `scope` names the list and the arguments; `token` is what the client sent. */
  page<T>(
    all: readonly T[],
    size: number,
    scope: string,
    token: string | undefined,
    now: number,
  ): Page<T>;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

interface PagerOptions {
  readonly secret: string;
  /** How long a token is valid; asked at each use. */
  readonly tokenMs: () => number;
  /** The error for an invalid or expired token. */
  readonly refusal: (message: string) => ServiceError;
}

export function createPager({ secret, tokenMs, refusal }: PagerOptions): Pager {
  const seal = (scope: string, offset: number, issuedAt: number): string =>
    createHash('sha256')
      .update(`${secret}|${scope}|${offset}|${issuedAt}`)
      .digest('hex')
      .slice(0, 24);

  const offsetOf = (scope: string, token: string, now: number): number => {
    const [offset = '', issuedAt = '', mark = ''] = Buffer.from(token, 'base64')
      .toString('latin1')
      .split('.');
    if (mark === '' || mark !== seal(scope, Number(offset), Number(issuedAt))) {
      throw refusal('The pagination token is not valid.');
    }
    if (now - Number(issuedAt) > tokenMs()) {
      throw refusal('The pagination token has expired.');
    }
    return Number(offset);
  };

  return {
    page(all, size, scope, token, now) {
      // An empty token asks for the first page: Data Pipeline's own sample sends `"marker": ""`.
      const start = token === undefined || token === '' ? 0 : offsetOf(scope, token, now);
      const items = all.slice(start, start + size);
      const end = start + size;
      if (end >= all.length) return { items };
      const issuedAt = Math.floor(now);
      const text = `${end}.${issuedAt}.${seal(scope, end, issuedAt)}`;
      return { items, next: Buffer.from(text, 'latin1').toString('base64') };
    },
  };
}
