/** What the agent said to a action, as an answer over the socket. */
import type { Reply } from '../../core/model/action.ts';
import { Problem } from './problem.ts';

/** Throws a `Problem` where the agent said no. */
export async function replyBody(asked: Promise<Reply>): Promise<{ run?: string; message: string }> {
  const reply = await asked;
  if (!reply.ok) throw new Problem(reply.code, reply.message);
  return { ...(reply.run === undefined ? {} : { run: reply.run }), message: reply.message };
}
