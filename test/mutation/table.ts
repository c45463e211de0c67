/** The result of a folder as text: what was not noticed, then the shares by file and by way. */
import { WAYS } from './mutants.ts';
import type { Mutant } from './mutants.ts';

export interface Verdict {
  readonly mutant: Mutant;
  /** `unreached`: no test runs that place. `open`: it was not tried to the end. `alone`: it cannot be tried like that. */
  readonly verdict: 'noticed' | 'survived' | 'unreached' | 'open' | 'alone';
}

/** `count`: how many mutants the folder has. */
export function tableOf(folder: string, verdicts: readonly Verdict[], count: number): string {
  const isKnown = ({ verdict }: Verdict): boolean => verdict !== 'alone' && verdict !== 'open';
  const judged = verdicts.filter(isKnown);
  const left = judged.filter(({ verdict }) => verdict !== 'noticed');
  const open = verdicts.filter(({ verdict }) => verdict === 'open').length;
  const byFile = Map.groupBy(judged, ({ mutant }) => mutant.file);
  const byWay = Map.groupBy(judged, ({ mutant }) => mutant.way);
  const survivors = left.map(({ mutant, verdict }) => `${verdict.padEnd(9)} ${lineOf(mutant)}`);
  if (open > 0) {
    // What is noticed is known first: a share of what is known would be too good.
    const counts = `${judged.length - left.length} noticed, ${left.length} not, ${open} not tried to the end`;
    return [...survivors, '', `${folder}: ${counts}`, ''].join('\n');
  }
  return [
    ...survivors,
    '',
    `${folder}: ${shareOf(judged)}, of ${count} possible`,
    ...[...byFile].map(([file, mine]) => `  ${file}: ${shareOf(mine)}`),
    ...WAYS.map((way) => [way, byWay.get(way) ?? []] as const)
      .filter(([, mine]) => mine.length > 0)
      .map(([way, mine]) => `  ${way}: ${shareOf(mine)}`),
    '',
  ].join('\n');
}

export function lineOf({ file, line, original, replacement }: Mutant): string {
  return `${file}:${line} ${short(original)} → ${short(replacement)}`;
}

export function share(noticed: number, judged: number): string {
  const percent = judged === 0 ? '-' : Math.round((noticed / judged) * 100);
  return `${noticed} of ${judged} noticed (${percent} %)`;
}

/** On one line, with the middle left out if it is long: what differs often stands at the end. */
export function short(text: string): string {
  const flat = text.replaceAll(/\s+/g, ' ');
  return flat.length > 90 ? `${flat.slice(0, 55)}…${flat.slice(-34)}` : flat;
}

function shareOf(judged: readonly Verdict[]): string {
  return share(judged.filter(({ verdict }) => verdict === 'noticed').length, judged.length);
}
