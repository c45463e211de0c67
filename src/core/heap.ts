/**
 * A binary min-heap whose entries can be found, moved and removed by key in O(log n): each entry knows its
 * place. Ties go to the entry that came first, so that nothing is passed over for ever.
 */
interface Entry<K> {
  readonly key: K;
  rank: number;
  order: number;
  place: number;
}

export class Heap<K> {
  readonly #entries: Entry<K>[] = [];
  readonly #byKey = new Map<K, Entry<K>>();
  #order = 0;

  get size(): number {
    return this.#entries.length;
  }

  /** Puts the key at `rank`, or moves it there. */
  set(key: K, rank: number): void {
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      if (known.rank === rank) return;
      known.rank = rank;
      this.#settle(known);
      return;
    }
    const entry: Entry<K> = { key, rank, order: this.#order++, place: this.#entries.length };
    this.#entries.push(entry);
    this.#byKey.set(key, entry);
    this.#rise(entry);
  }

  delete(key: K): boolean {
    const entry = this.#byKey.get(key);
    if (entry === undefined) return false;
    this.#byKey.delete(key);
    const last = this.#entries.pop();
    if (last !== undefined && last !== entry) {
      this.#put(last, entry.place);
      this.#settle(last);
    }
    return true;
  }

  peek(): { readonly key: K; readonly rank: number } | undefined {
    return this.#entries[0];
  }

  pop(): K | undefined {
    const first = this.#entries[0];
    if (first === undefined) return undefined;
    this.delete(first.key);
    return first.key;
  }

  /** An entry that took another's place may be too low or too high there: it came from another branch. */
  #settle(entry: Entry<K>): void {
    this.#rise(entry);
    this.#sink(entry);
  }

  #rise(entry: Entry<K>): void {
    while (entry.place > 0) {
      const parent = this.#entries[(entry.place - 1) >> 1];
      if (parent === undefined || !isBefore(entry, parent)) return;
      this.#swap(entry, parent);
    }
  }

  #sink(entry: Entry<K>): void {
    for (;;) {
      const left = this.#entries[entry.place * 2 + 1];
      const right = this.#entries[entry.place * 2 + 2];
      const least =
        right !== undefined && left !== undefined && isBefore(right, left) ? right : left;
      if (least === undefined || !isBefore(least, entry)) return;
      this.#swap(least, entry);
    }
  }

  #swap(a: Entry<K>, b: Entry<K>): void {
    const place = a.place;
    this.#put(a, b.place);
    this.#put(b, place);
  }

  #put(entry: Entry<K>, place: number): void {
    this.#entries[place] = entry;
    entry.place = place;
  }
}

function isBefore<K>(a: Entry<K>, b: Entry<K>): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.order < b.order);
}
