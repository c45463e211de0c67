/** How the output of a run is read. */

/** One stream of a run's output. A position counts bytes since its beginning, rotated ones included. */
export interface LogReader {
  /** Where the last `lines` lines begin; without a number: all that is kept. */
  begin(lines?: number): Promise<number>;
  /** The position after the last byte; absent: there is no log. */
  end(): Promise<number | undefined>;
  /** Some bytes from there on, none if none are written yet; absent: there is no log. */
  read(position: number): Promise<{ readonly bytes: Buffer; readonly next: number } | undefined>;
}
