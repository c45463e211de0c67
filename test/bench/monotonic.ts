/** The kernel's monotonic clock, the same in every process of this host: moments in two of them can be compared. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
