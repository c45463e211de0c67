/** The answer over the socket to a request that the agent has decided. */
import { defined } from '../../core/lib/defined.ts';
import type { Reply } from '../../core/model/action.ts';
import { Problem } from './problem.ts';

/** Throws a `Problem` if the agent refused. */
export async function replyBody(asked: Promise<Reply>): Promise<{ run?: string; message: string }> {
  const reply = await asked;
  if (!reply.ok) throw new Problem(reply.code, reply.message);
  return defined({ run: reply.run, message: reply.message });
}
