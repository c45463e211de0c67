/** How a document is shown: the room, the colours, and the time that it is shown for. */

export interface View {
  /** Columns. */
  readonly width: number;
  /** Rows that the picture may take; absent: as many as it needs. */
  readonly height?: number;
  /** It is redrawn: it must not be a line too high, and gives no advice on options. */
  readonly isMoving?: true;
  /** Jobs that are shown at most; absent: all of them. */
  readonly jobsMax?: number;
  readonly color: boolean;
  readonly now: Date;
}
