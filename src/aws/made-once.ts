/**
 * A value that is made at its first use and kept. A failure is not kept: what failed (descriptors that ran out, a file that
 * is replaced just now, a proxy that is not set yet) may work at the next use.
 */
export function madeOnce<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    if (made === undefined) {
      const making = make();
      made = making;
      making.catch(() => {
        if (made === making) made = undefined;
      });
    }
    return made;
  };
}
