/** The colours of a timeline: what somebody has to look at stands out. */
import { expect, test } from 'vitest';
import { renderTimeline } from '../../../src/cli/views/timeline.ts';

const NOW = new Date('2026-11-22T03:12:00.000Z');

test.each([
  ...['job.failed', 'report.refused', 'run.lost', 'lease.fenced', 'lease.gone'].map(
    (event) => [event, 31] as const,
  ),
  ...['report.throttled', 'run.stalled', 'promise.stretched', 'run.timeout', 'clock.jumped'].map(
    (event) => [event, 33] as const,
  ),
  ...['report.delivered', 'service.recovered'].map((event) => [event, 32] as const),
  ['some.thing', undefined] as const,
])('%s has the colour %s', (event, colour) => {
  const entry = { at: '2026-11-22T03:00:00.000Z', event, fields: {} };
  const [line = ''] = renderTimeline([entry], { width: 80, color: true, now: NOW });
  const painted = /\u001b\[22m(?:\u001b\[(\d+)m)?\w/.exec(line);
  expect(painted, JSON.stringify(line)).not.toBeNull();
  expect(painted?.[1]).toBe(colour === undefined ? undefined : String(colour));
});
