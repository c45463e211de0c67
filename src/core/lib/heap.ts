/**
 * A binary min-heap whose items know their place in it, so that each can be moved and removed in O(log n) without a
 * search. Of equal items the oldest comes first, so that none starves.
 */
export class Heap<Item extends Ranked> {
  readonly #items: Item[] = [];
  #order = 0;

  get size(): number {
    return this.#items.length;
  }

  /** Adds the item at `rank`, or moves it there. An item can be in one heap at a time. */
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

  /** Moves an item up or down: one that took another's place comes from another branch. */
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

/** The fields that a heap keeps in its items. Only the heap writes them. */
export class Ranked {
  rank = 0;
  order = 0;
  place = 0;
}

function isBefore(a: Ranked, b: Ranked): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.order < b.order);
}
