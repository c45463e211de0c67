/** The SDK's words go nowhere: what matters of them is in an outcome. */
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
