/**
 * A binary min-heap whose items know their own place in it, so that each can be moved and removed in O(log n) without
 * being looked for. Ties go to the item that came first, so that nothing is passed over for ever.
 */
export class Heap<Item extends Ranked> {
  readonly #items: Item[] = [];
  #order = 0;

  get size(): number {
    return this.#items.length;
  }

  /** Puts the item at `rank`, or moves it there. It may stand in one heap at a time. */
  set(item: Item, rank: number): void {
    if (this.#has(item)) {
      if (item.rank === rank) return;
      item.rank = rank;
      this.#settle(item);
      return;
    }
    item.rank = rank;
    item.order = this.#order++;
    item.place = this.#items.length;
    this.#items.push(item);
    this.#rise(item);
  }

  delete(item: Item): boolean {
    if (!this.#has(item)) return false;
    const last = this.#items.pop();
    if (last !== undefined && last !== item) {
      this.#put(last, item.place);
      this.#settle(last);
    }
    return true;
  }

  peek(): Item | undefined {
    return this.#items[0];
  }

  pop(): Item | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.delete(first);
    return first;
  }

  #has(item: Item): boolean {
    return this.#items[item.place] === item;
  }

  /** An item that took another's place may be too low or too high there: it came from another branch. */
  #settle(item: Item): void {
    this.#rise(item);
    this.#sink(item);
  }

  #rise(item: Item): void {
    while (item.place > 0) {
      const parent = this.#items[(item.place - 1) >> 1];
      if (parent === undefined || !isBefore(item, parent)) return;
      this.#swap(item, parent);
    }
  }

  #sink(item: Item): void {
    for (;;) {
      const left = this.#items[item.place * 2 + 1];
      const right = this.#items[item.place * 2 + 2];
      const least =
        right !== undefined && left !== undefined && isBefore(right, left) ? right : left;
      if (least === undefined || !isBefore(least, item)) return;
      this.#swap(least, item);
    }
  }

  #swap(a: Item, b: Item): void {
    const place = a.place;
    this.#put(a, b.place);
    this.#put(b, place);
  }

  #put(item: Item, place: number): void {
    this.#items[place] = item;
    item.place = place;
  }
}

/** What an item of a heap carries for it. Nobody else writes here. */
export class Ranked {
  rank = 0;
  order = 0;
  place = 0;
}

function isBefore(a: Ranked, b: Ranked): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.order < b.order);
}
