/** Lengths of time and moments as a person reads them at a glance. */

/** `48s`, `4m48s`, `2h05m`, `3d4h`: two units, the last one cut. */
export function span(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes < 1) return `${seconds}s`;
  if (hours < 1) return `${minutes}m${twoDigits(seconds % 60)}s`;
  if (hours < 24) return `${hours}h${twoDigits(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d${hours % 24}h`;
}

/** `48s`, `4m`, `2h`, `3d`: how long ago something was, in one unit. */
export function coarseSpanSince(iso: string, now: Date): string {
  return /^\d+[smhd]/.exec(spanSince(iso, now))?.[0] ?? '';
}

/** From an ISO time to `now`; `0s` if a clock was set back. */
export function spanSince(iso: string, now: Date): string {
  return span(Math.max(0, now.getTime() - Date.parse(iso)));
}

export function spanUntil(iso: string, now: Date): string {
  return span(Math.max(0, Date.parse(iso) - now.getTime()));
}

/** `02:14:09` today, `2026-11-21 02:14:09` on another day; UTC, as in the log. */
export function moment(iso: string, now: Date): string {
  const [day = '', time = ''] = iso.split('T');
  const clock = time.slice(0, 8);
  return now.toISOString().startsWith(day) ? clock : `${day} ${clock}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
