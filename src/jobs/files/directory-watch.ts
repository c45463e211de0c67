/** Waits for the next change of the files in a directory (inotify(7)): a job that writes nothing costs nothing then. */
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';

/**
 * Calls `changed` once, soon after a file in the directory was written, made, renamed or removed. Returns what ends the watch;
 * absent: the kernel has no watch left (fs.inotify.max_user_watches), or the directory is gone.
 */
export function onNextChange(directory: string, changed: () => void): (() => void) | undefined {
  let watcher: FSWatcher;
  try {
    watcher = watch(directory, { persistent: false });
  } catch {
    return undefined;
  }
  const end = (): void => watcher.close();
  const once = (): void => {
    end();
    changed();
  };
  watcher.once('change', once).once('error', once);
  return end;
}
