/** The parts of the pages: a frame, tables, escaped text. The pages have no script and load nothing else. */

export function frame(title: string, content: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; color: #1b1f24; background: #fff }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #d8dee4; vertical-align: top } th { white-space: nowrap }
.wrap { overflow-wrap: anywhere }
.number { text-align: right; font-variant-numeric: tabular-nums } .good { color: #116329 } .bad { color: #a40e26 } .quiet { color: #59636e }
@media (prefers-color-scheme: dark) { body { color: #e6edf3; background: #0d1117 } a { color: #79c0ff } th, td { border-color: #30363d } .good { color: #56d364 } .bad { color: #ff7b72 } .quiet { color: #9198a1 } }
</style></head><body>
<h1>${escape(title)}</h1>
${content}
</body></html>
`;
}

export interface Cell {
  readonly text: string;
  readonly style: 'good' | 'bad' | 'quiet' | 'wrap';
}

export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number | Cell)[])[],
): string {
  if (rows.length === 0) return '';
  const cell = (value: string | number | Cell): string =>
    typeof value === 'number'
      ? `<td class="number">${value}</td>`
      : typeof value === 'string'
        ? `<td>${escape(value)}</td>`
        : `<td class="${value.style === 'wrap' ? 'wrap' : `wrap ${value.style}`}">${escape(value.text)}</td>`;
  const body = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n');
  return `<table><thead><tr>${head.map((each) => `<th>${escape(each)}</th>`).join('')}</tr></thead>\n<tbody>${body}</tbody></table>`;
}

/** Text of any length. It wraps anywhere, so that the page does not get wider. */
export function wrapped(text: string): Cell {
  return { text, style: 'wrap' };
}

/** Names and details come from clients, so they may contain anything. */
export function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
