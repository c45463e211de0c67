/** Progress as a bar, in eighths of a column. */

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** Exactly `width` columns. Full only at 100: a run that is not done must not look done. */
export function progressBar(percent: number, width: number): string {
  const share = Math.min(100, Math.max(0, percent)) / 100;
  const eighths = Math.floor(share * width * 8);
  const full = '█'.repeat(Math.floor(eighths / 8));
  const part = EIGHTHS[eighths % 8] ?? '';
  return (full + part).padEnd(width, '░');
}
