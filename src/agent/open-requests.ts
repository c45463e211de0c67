/**
 * Requests of operators that have no reply yet. A reply comes when what it promises is on disk. While the disk refuses, nobody
 * waits for that longer than a command does: the reply then is what is true, and the request stays.
 */
import { SECOND_MS } from '../core/lib/time.ts';
import type { Now } from '../core/lib/time.ts';
import type { Reply } from '../core/model/action.ts';
import type { RequestId } from '../core/model/event.ts';

/** Long enough for a disk that is full for a moment; a command gives up after 30 s. */
const HELD_MS_MAX = 10 * SECOND_MS;

interface OpenRequest {
  readonly resolve: (reply: Reply) => void;
  /** Since when the disk refuses it, on the boot clock. */
  refusedSinceMs?: number;
}

export class OpenRequests {
  readonly #open = new Map<RequestId, OpenRequest>();
  #next = 1;

  /** Resolves when the request is answered; `ask` gets its number. */
  add(ask: (id: RequestId) => void): Promise<Reply> {
    return new Promise((resolve) => {
      const id = this.#next++;
      this.#open.set(id, { resolve });
      ask(id);
    });
  }

  answer(id: RequestId, reply: Reply): void {
    this.#open.get(id)?.resolve(reply);
    this.#open.delete(id);
  }

  answerAll(reply: Reply): void {
    for (const id of [...this.#open.keys()]) this.answer(id, reply);
  }

  /** Call in every turn in which the disk refuses, with its reason. */
  diskRefuses(failure: string, now: Now): void {
    for (const [id, request] of [...this.#open]) {
      request.refusedSinceMs ??= now.bootMs;
      if (now.bootMs - request.refusedSinceMs < HELD_MS_MAX) continue;
      this.answer(id, { ok: false, code: 'unavailable', message: heldText(failure) });
    }
  }
}

function heldText(failure: string): string {
  return `the state cannot be written (${failure}), so the request is not on disk: a job is stopped or an agent drained at once, and all else is done when the disk takes changes again; if the agent ends before, ask again`;
}
