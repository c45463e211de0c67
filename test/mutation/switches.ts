/**
 * All mutants of a file in one text: at each place a condition chooses, while the program runs, between what is written there
 * and a mutant. So one process can try thousands of mutants.
 */
import type { Mutant } from './mutants.ts';

/** The name of the global function that gets a mutant's number and says whether it is the one that is tried. */
export const SWITCH = '__isMutant';

interface Place {
  readonly start: number;
  readonly end: number;
  readonly kind: Mutant['kind'];
  /** The mutants at this place with their numbers. */
  readonly choices: { readonly number: number; readonly replacement: string }[];
  readonly inner: Place[];
}

/** The number of a mutant is `first` plus its index. Mutants of the kind `alone` are left out. */
export function withSwitches(text: string, mutants: readonly Mutant[], first: number): string {
  return written(text, 0, text.length, nested(mutants, first));
}

function nested(mutants: readonly Mutant[], first: number): readonly Place[] {
  const places = new Map<string, Place>();
  for (const [index, { start, end, kind, replacement }] of mutants.entries()) {
    if (kind === 'alone') continue;
    const key = `${start}-${end}`;
    const place = places.get(key) ?? { start, end, kind, choices: [], inner: [] };
    place.choices.push({ number: first + index, replacement });
    places.set(key, place);
  }
  const outermost: Place[] = [];
  const open: Place[] = [];
  // The outer ones first: syntax nests, so places never overlap otherwise.
  for (const place of [...places.values()].sort((a, b) => a.start - b.start || b.end - a.end)) {
    while ((open.at(-1)?.end ?? Infinity) <= place.start) open.pop();
    (open.at(-1)?.inner ?? outermost).push(place);
    open.push(place);
  }
  return outermost;
}

function written(text: string, start: number, end: number, places: readonly Place[]): string {
  let result = '';
  let at = start;
  for (const place of places) {
    const original = written(text, place.start, place.end, place.inner);
    result += text.slice(at, place.start) + choice(place, original);
    at = place.end;
  }
  return result + text.slice(at, end);
}

function choice({ kind, choices }: Place, original: string): string {
  if (kind === 'statement') {
    const branches = choices.map(
      ({ number, replacement }) => `if (${SWITCH}(${number})) { ${replacement} } else `,
    );
    return `{ ${branches.join('')}{ ${original} } }`;
  }
  if (kind === 'property') {
    const isLeftOut = choices.map(({ number }) => `${SWITCH}(${number})`).join(' || ');
    return `...(${isLeftOut} ? {} : { ${original} })`;
  }
  const branches = choices.map(
    ({ number, replacement }) => `${SWITCH}(${number}) ? (${replacement}) : `,
  );
  return `(${branches.join('')}(${original}))`;
}
