/** What the agent said to a wish, as an answer over the socket. */
import type { Reply } from '../../core/model/action.ts';
import { Problem } from './problem.ts';

/** Throws a `Problem` where the agent said no. */
export async function told(asked: Promise<Reply>): Promise<{ run?: string; words: string }> {
  const reply = await asked;
  if (!reply.ok) throw new Problem(reply.code, reply.words);
  return { ...(reply.run === undefined ? {} : { run: reply.run }), words: reply.words };
}
