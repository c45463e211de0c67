/** Discards the SDK's log lines: outcomes carry everything that matters. */
export const SILENT_LOGGER = {
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
};

function ignore(): void {
  return undefined;
}
