/** Work on very many things, in slices: with ten thousand jobs the loop must turn in between. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** The loop is not held longer at a time; a report or a cancel can come in between. */
const SLICE_MS = 3;
/** Things between two looks at the clock. */
const CHECK_EVERY = 50;

export async function inSlices<Item>(
  items: Iterable<Item>,
  take: (item: Item) => void,
): Promise<void> {
  let sliceEndsMs = performance.now() + SLICE_MS;
  let count = 0;
  for (const item of items) {
    take(item);
    count += 1;
    if (count % CHECK_EVERY !== 0 || performance.now() < sliceEndsMs) continue;
    await nextTurn();
    sliceEndsMs = performance.now() + SLICE_MS;
  }
}
