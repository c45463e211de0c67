/** Reads the code (`ENOENT`, `EPERM` …) off whatever was thrown. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What went wrong in the system's words, for a sentence. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
