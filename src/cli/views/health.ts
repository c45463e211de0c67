/** One line of health, and below it what is wrong. */
import type { AgentStatus, Status } from '../../core/model/status.ts';
import { displayWidth, plain, wrap } from '../terminal/printable.ts';
import { span, spanSince, spanUntil } from '../terminal/durations.ts';
import type { View } from './view.ts';
import type { Paint, Style } from '../terminal/terminal.ts';

/** The SDK renews credentials five minutes before their end. */
const CREDENTIALS_SOON_MS = 5 * 60_000;

export function renderHealth({ agent }: Status, view: View, paint: Paint): string[] {
  const slackS = agent.nearestDeadlineSeconds;
  const [verdict, style] = healthVerdict(agent);
  const facts = [
    ...(agent.state === 'draining' ? ['draining'] : []),
    outboxText(agent),
    ...(slackS === undefined || slackS < 0 ? [] : [`next deadline in ${span(slackS * 1000)}`]),
    ...credentialsText(agent, view.now),
    `clock ${agent.clockOffsetSeconds < 0 ? '' : '+'}${agent.clockOffsetSeconds.toFixed(1)}s`,
    `up ${spanSince(agent.startedAt, view.now)}`,
    plain(agent.host),
    `version ${plain(agent.version)}`,
    ...(agent.homeRegion === undefined ? [] : [`home ${plain(agent.homeRegion)}`]),
  ];
  // The facts that matter least come last and are left out first.
  let line = paint(style, verdict);
  let used = verdict.length;
  for (const fact of facts) {
    used += displayWidth(fact) + 2;
    if (used > view.width) break;
    line += `, ${fact}`;
  }
  const problems = agent.problems.flatMap((text) =>
    wrap(plain(text), view.width - 2).map((piece, index) =>
      paint('red', `${index === 0 ? '! ' : '  '}${piece}`),
    ),
  );
  return [line, ...problems];
}

function outboxText({ outbox, outboxAgeSeconds: ageS }: AgentStatus): string {
  return ageS === undefined ? `outbox ${outbox}` : `outbox ${outbox} for ${span(ageS * 1000)}`;
}

/** Only if they end soon: the SDK renews them in time. */
function credentialsText({ credentialsExpireAt: at }: AgentStatus, now: Date): string[] {
  if (at === undefined || Date.parse(at) - now.getTime() > CREDENTIALS_SOON_MS) return [];
  return [`credentials end in ${spanUntil(at, now)}`];
}

function healthVerdict({
  health,
  problems,
  nearestDeadlineSeconds: slackS,
}: AgentStatus): [string, Style] {
  if (health === 'healthy') return ['healthy', 'green'];
  const message =
    problems.length === 0 ? [] : [`${problems.length} problem${problems.length === 1 ? '' : 's'}`];
  if (slackS !== undefined && slackS < 0) message.push(`late by ${span(slackS * 1000)}`);
  return [`degraded: ${message.join(', ')}`, 'red'];
}
