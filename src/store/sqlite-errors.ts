/** What the error codes of SQLite mean for the store (https://sqlite.org/rescode.html). */

/** The low byte of an extended code is the primary one. */
const PRIMARY = 0xff;
const BUSY = 5;
const CORRUPT = 11;
const FULL = 13;
const NOTADB = 26;
/** A page could not be read, or the file ends before it. */
const IOERR_READ = 266;
const IOERR_SHORT_READ = 522;
/** There is no room for the shared index of the write-ahead log (state.db-shm). */
const IOERR_SHMSIZE = 4874;

/** The file, or part of it, cannot be read as a database. */
export function isDamage(error: unknown): boolean {
  const code = codeOf(error);
  return (
    [IOERR_READ, IOERR_SHORT_READ].includes(code) || [CORRUPT, NOTADB].includes(code & PRIMARY)
  );
}

/** The disk is full. */
export function isFull(error: unknown): boolean {
  const code = codeOf(error);
  return code === IOERR_SHMSIZE || (code & PRIMARY) === FULL;
}

export function isBusy(error: unknown): boolean {
  return (codeOf(error) & PRIMARY) === BUSY;
}

/** 0 for what does not come from SQLite. */
function codeOf(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code : 0;
}
