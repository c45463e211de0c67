/** Small parts of the page: elements, times and durations as text. Everything that comes from jobs is set as text, never as markup. */

/** An element of index.html. */
export function at(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found;
}

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  text?: string,
  className?: string,
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className !== undefined && className !== '') made.className = className;
  return made;
}

/** A row of a table that holds one remark. */
export function remark(text: string): HTMLTableRowElement {
  const line = element('tr');
  const cell = element('td', text, 'faint');
  cell.colSpan = 5;
  line.append(cell);
  return line;
}

/** 42s, 5m07s, 3h12m, 2d4h; the sign is left out. */
export function span(seconds: number): string {
  const s = Math.round(Math.abs(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m${two(s % 60)}s`;
  if (s < 86_400) return `${Math.floor(s / 3600)}h${two(Math.floor(s / 60) % 60)}m`;
  return `${Math.floor(s / 86_400)}d${Math.floor(s / 3600) % 24}h`;
}

export function since(from: string, to: string): string {
  return span(Math.max(0, Date.parse(to) - Date.parse(from)) / 1000);
}

/** The time of today, date and time of other days; UTC. */
export function clock(iso: string): string {
  const isToday = iso.slice(0, 10) === new Date().toISOString().slice(0, 10);
  return isToday ? iso.slice(11, 19) : `${iso.slice(0, 10)} ${iso.slice(11, 19)}`;
}

/** A document of the agent; rejects if it does not answer in five seconds. */
export async function load<Document>(path: string): Promise<Document> {
  const answer = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(5000) });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return (await answer.json()) as Document;
}
