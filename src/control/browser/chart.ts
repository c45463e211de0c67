/**
 * Draws percent over time, and below it for each destination its reports, how long each held, and where the next came too
 * late. Plain SVG; colours come by class, because the policy of the page allows no style attributes.
 */
import type { JobPageDocument, ReportOfPage } from '../page/documents.ts';
import { at, clock, span } from './elements.ts';

const SVG = 'http://www.w3.org/2000/svg';
const NAMES = { migrationHub: 'Migration Hub', dataPipeline: 'Data Pipeline' } as const;
const LEFT = 96;
const RIGHT = 8;
const TOP = 10;
const HEIGHT = 110;
const ROW = 26;

/** How time becomes a place on the picture. */
interface Scale {
  readonly from: number;
  readonly to: number;
  readonly width: number;
  readonly now: number;
}

export function chart(shown: JobPageDocument): SVGElement {
  const { job, reports } = shown;
  const scale = scaleOf(shown);
  const destinations = (['migrationHub', 'dataPipeline'] as const).filter((name) =>
    reports.some((one) => one.to === name),
  );
  const bottom = TOP + HEIGHT + 8 + destinations.length * ROW;
  const picture = shape('svg', {
    class: 'chart',
    viewBox: `0 0 ${scale.width} ${bottom + 22}`,
    role: 'img',
    'aria-label': label(shown, scale.now),
  });
  picture.append(...axes(scale));
  picture.append(...percentLine(shown, scale));
  destinations.forEach((name, index) => {
    const middle = TOP + HEIGHT + 8 + index * ROW + ROW / 2;
    const own = reports.filter((one) => one.to === name);
    const text = { x: LEFT - 8, y: middle + 4, 'text-anchor': 'end' };
    picture.append(shape('text', text, NAMES[name]), ...row(own, shown, scale, middle));
  });
  if (job.endedAt === undefined) {
    const place = x(scale, scale.now);
    picture.append(shape('line', { class: 'now', x1: place, x2: place, y1: TOP, y2: bottom }));
  }
  const until = { x: scale.width - RIGHT, y: bottom + 16, 'text-anchor': 'end' };
  picture.append(
    shape('text', { x: LEFT, y: bottom + 16 }, clock(new Date(scale.from).toISOString())),
    shape('text', until, clock(new Date(scale.to).toISOString())),
  );
  return picture;
}

function scaleOf({ job, now: nowText, reports }: JobPageDocument): Scale {
  const now = Date.parse(nowText);
  const started = job.startedAt === undefined ? now : Date.parse(job.startedAt);
  const from = Math.min(started, ...reports.map((one) => Date.parse(one.at)));
  const ended = job.endedAt === undefined ? now : Date.parse(job.endedAt);
  const holds = reports.map((one) =>
    job.endedAt === undefined ? holdsMs(one) : Date.parse(one.at),
  );
  const until = Math.max(ended, ...holds, ...reports.map((one) => Date.parse(one.at)));
  // A promise of a year must not squeeze the past into a point.
  const to = Math.min(until, Math.max(now, from + 1000) + (now - from) * 0.5 + 60_000);
  const width = Math.max(300, Math.min(900, at('jobs').clientWidth - 40));
  return { from, to, width, now };
}

function x({ from, to, width }: Scale, ms: number): number {
  const part = (Math.min(Math.max(ms, from), to) - from) / Math.max(1, to - from);
  return Math.round((LEFT + part * (width - LEFT - RIGHT)) * 10) / 10;
}

function y(percent: number): number {
  return Math.round((TOP + HEIGHT - (percent / 100) * HEIGHT) * 10) / 10;
}

function axes(scale: Scale): SVGElement[] {
  return [0, 50, 100].flatMap((percent) => [
    shape('line', {
      class: 'axis',
      x1: LEFT,
      x2: scale.width - RIGHT,
      y1: y(percent),
      y2: y(percent),
    }),
    shape('text', { x: LEFT - 8, y: y(percent) + 4, 'text-anchor': 'end' }, `${percent}%`),
  ]);
}

function percentLine({ job, reports }: JobPageDocument, scale: Scale): SVGElement[] {
  const points = reports.flatMap(({ at: time, percent }) =>
    percent === undefined ? [] : [`${x(scale, Date.parse(time))},${y(percent)}`],
  );
  if (points.length === 0) return [];
  if (job.endedAt === undefined && job.percent !== undefined) {
    points.push(`${x(scale, scale.now)},${y(job.percent)}`);
  }
  return [shape('polyline', { class: 'percent', points: points.join(' ') })];
}

function row(
  own: readonly ReportOfPage[],
  { job }: JobPageDocument,
  scale: Scale,
  middle: number,
): SVGElement[] {
  const isLive = job.endedAt === undefined;
  const bar = (kind: string, start: number, end: number, text: string): SVGElement[] => {
    if (end <= start) return [];
    const width = Math.max(1, x(scale, end) - x(scale, start));
    const made = shape('rect', {
      class: kind,
      x: x(scale, start),
      y: middle - 6,
      width,
      height: 12,
    });
    made.append(shape('title', {}, text));
    return [made];
  };
  const held = own.flatMap((one, index) => {
    const start = Date.parse(one.at);
    const next = own[index + 1];
    const end = next === undefined ? (isLive ? scale.now : start) : Date.parse(next.at);
    const kept = bar('kept', start, Math.min(end, holdsMs(one)), `reported ${clock(one.at)}`);
    if (next !== undefined || !isLive) return kept;
    const text = `holds until ${clock(one.holdsUntil ?? one.at)}`;
    return [...kept, ...bar('holds', scale.now, holdsMs(one), text)];
  });
  const late = gaps(own, isLive ? scale.now : undefined).flatMap(({ from, to }) =>
    bar('late', from, to, `late by ${span((to - from) / 1000)}`),
  );
  const dots = own.map((one) => {
    const dot = shape('circle', {
      class: 'report',
      cx: x(scale, Date.parse(one.at)),
      cy: middle,
      r: 3,
    });
    const percent = one.percent === undefined ? '' : ` ${one.percent}%`;
    dot.append(shape('title', {}, `${clock(one.at)} ${one.status ?? ''}${percent}`));
    return dot;
  });
  return [...held, ...late, ...dots];
}

function label({ job, reports }: JobPageDocument, now: number): string {
  const until = job.endedAt === undefined ? now : undefined;
  const lateMs = (['migrationHub', 'dataPipeline'] as const)
    .flatMap((name) =>
      gaps(
        reports.filter((one) => one.to === name),
        until,
      ),
    )
    .reduce((sum, { from, to }) => sum + to - from, 0);
  const percent = reports.findLast((one) => one.percent !== undefined)?.percent;
  const progress = percent === undefined ? '' : `, now at ${percent} percent`;
  const lateness = lateMs === 0 ? 'never late' : `late for ${span(lateMs / 1000)} in all`;
  return `${reports.length} reports of ${job.name}${progress}, ${lateness}`;
}

/** Times in which a promise had ended and the next report had not come. `until`: now, while the run goes on. */
function gaps(
  own: readonly ReportOfPage[],
  until: number | undefined,
): { readonly from: number; readonly to: number }[] {
  return own.flatMap((one, index) => {
    if (one.holdsUntil === undefined) return [];
    const from = holdsMs(one);
    const next = own[index + 1];
    const to = next === undefined ? (until ?? from) : Date.parse(next.at);
    return to > from ? [{ from, to }] : [];
  });
}

function holdsMs(one: ReportOfPage): number {
  return Date.parse(one.holdsUntil ?? one.at);
}

function shape(
  tag: string,
  attributes: Readonly<Record<string, string | number>>,
  text?: string,
): SVGElement {
  const made: SVGElement = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}
