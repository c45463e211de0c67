/**
 * The part of the page's script that draws: percent over time, and below it for each destination its reports, how long
 * each held, and where the next came too late. Plain SVG; colours by class, since the policy allows no style of its own.
 */
export const PAGE_CHART_SCRIPT = `
const SVG = 'http://www.w3.org/2000/svg';
const DESTINATION = { migrationHub: 'Migration Hub', dataPipeline: 'Data Pipeline' };
function shape(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}
function chart(document_) {
  const { job, now, reports } = document_;
  const nowMs = Date.parse(now);
  const times = reports.flatMap((one) => [Date.parse(one.at), job.endedAt || !one.holdsUntil ? 0 : Date.parse(one.holdsUntil)]);
  const from = Math.min(...reports.map((one) => Date.parse(one.at)), job.startedAt ? Date.parse(job.startedAt) : nowMs);
  const until = Math.max(job.endedAt ? Date.parse(job.endedAt) : nowMs, ...times);
  // A promise of a year must not squeeze what was into a point.
  const to = Math.min(until, Math.max(nowMs, from + 1000) + (nowMs - from) * .5 + 60000);
  const names = Object.keys(DESTINATION).filter((name) => reports.some((one) => one.to === name));
  const left = 96, right = 8, top = 10, height = 110, row = 26;
  const width = Math.max(300, Math.min(900, document.getElementById('jobs').clientWidth - 40));
  const x = (ms) => left + (Math.min(Math.max(ms, from), to) - from) / Math.max(1, to - from) * (width - left - right);
  const y = (percent) => top + height - percent / 100 * height;
  const bottom = top + height + 8 + names.length * row;
  const known = reports.filter((one) => one.percent !== undefined);
  const late = names.map((name) => lateness(reports.filter((one) => one.to === name), job, nowMs));
  const lateMs = late.flat().reduce((sum, one) => sum + one.to - one.from, 0);
  const picture = shape('svg', { class: 'chart', viewBox: '0 0 ' + width + ' ' + (bottom + 22), role: 'img',
    'aria-label': reports.length + ' reports of ' + job.name + (known.length ? ', now at ' + known.at(-1).percent + ' percent' : '')
      + ', ' + (lateMs === 0 ? 'never late' : 'late for ' + span(lateMs / 1000) + ' in all') });
  for (const percent of [0, 50, 100]) {
    picture.append(shape('line', { class: 'axis', x1: left, x2: width - right, y1: y(percent), y2: y(percent) }),
      shape('text', { x: left - 8, y: y(percent) + 4, 'text-anchor': 'end' }, percent + '%'));
  }
  if (known.length > 0) {
    const points = known.map((one) => x(Date.parse(one.at)).toFixed(1) + ',' + y(one.percent).toFixed(1));
    if (!job.endedAt && job.percent !== undefined) points.push(x(nowMs).toFixed(1) + ',' + y(job.percent).toFixed(1));
    picture.append(shape('polyline', { class: 'percent', points: points.join(' ') }));
  }
  names.forEach((name, index) => {
    const own = reports.filter((one) => one.to === name);
    const middle = top + height + 8 + index * row + row / 2;
    const bar = (kind, start, end, words) => {
      if (end <= start) return;
      const made = shape('rect', { class: kind, x: x(start).toFixed(1), y: middle - 6, width: Math.max(1, x(end) - x(start)).toFixed(1), height: 12 });
      made.append(shape('title', {}, words));
      picture.append(made);
    };
    picture.append(shape('text', { x: left - 8, y: middle + 4, 'text-anchor': 'end' }, DESTINATION[name]));
    own.forEach((one, place) => {
      const at = Date.parse(one.at);
      const next = own[place + 1] ? Date.parse(own[place + 1].at) : job.endedAt ? at : nowMs;
      const holds = one.holdsUntil ? Date.parse(one.holdsUntil) : at;
      bar('kept', at, Math.min(next, holds), 'told ' + clock(one.at));
      if (!own[place + 1] && !job.endedAt) bar('holds', nowMs, holds, 'holds until ' + clock(one.holdsUntil || one.at));
    });
    for (const one of late[index]) bar('late', one.from, one.to, 'late by ' + span((one.to - one.from) / 1000));
    for (const one of own) {
      const dot = shape('circle', { class: 'report', cx: x(Date.parse(one.at)).toFixed(1), cy: middle, r: 3 });
      dot.append(shape('title', {}, clock(one.at) + (one.status ? ' ' + one.status : '') + (one.percent === undefined ? '' : ' ' + one.percent + '%')));
      picture.append(dot);
    }
  });
  if (!job.endedAt) picture.append(shape('line', { class: 'now', x1: x(nowMs), x2: x(nowMs), y1: top, y2: bottom }));
  picture.append(shape('text', { x: left, y: bottom + 16 }, clock(new Date(from).toISOString())),
    shape('text', { x: width - right, y: bottom + 16, 'text-anchor': 'end' }, clock(new Date(to).toISOString())));
  return picture;
}
/** Where a promise had ended and the next report had not come. */
function lateness(own, job, nowMs) {
  const found = [];
  own.forEach((one, place) => {
    if (!one.holdsUntil) return;
    const holds = Date.parse(one.holdsUntil);
    const next = own[place + 1] ? Date.parse(own[place + 1].at) : job.endedAt ? holds : nowMs;
    if (next > holds) found.push({ from: holds, to: next });
  });
  return found;
}
`;
