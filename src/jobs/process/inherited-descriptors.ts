/**
 * Closes what the agent's own parent left open. Node marks inherited descriptors as close-on-exec only up to the first gap
 * after number 15, so a job would inherit the others: a file of root's shell, for example.
 */
import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';

/** close-on-exec in /proc/PID/fdinfo/N (O_CLOEXEC of fcntl.h, the same on x86-64 and arm64). */
const O_CLOEXEC = 0o2000000;
const STDERR = 2;

/** For the start of the process: what is opened later has close-on-exec. */
export function closeInheritedDescriptors(): void {
  if (inheritable().length === 0) return;
  // A thread of Node reads certificate authorities at the start, from files without close-on-exec. If one of them were closed
  // here, the authorities would be missing, and the thread would then close whatever got the number. These calls wait for it.
  getCACertificates('extra');
  getCACertificates('system');
  for (const file of inheritable()) closeSync(file);
}

function inheritable(): readonly number[] {
  const names = readdirSync('/proc/self/fdinfo').filter((name) => Number(name) > STDERR);
  return names.filter(isInheritable).map(Number);
}

function isInheritable(name: string): boolean {
  try {
    const info = readFileSync(`/proc/self/fdinfo/${name}`, 'utf8');
    const flags = Number.parseInt(/^flags:\s*(\d+)$/m.exec(info)?.[1] ?? '', 8);
    return (flags & O_CLOEXEC) === 0;
  } catch {
    // The descriptor of the listing itself, which is closed by now.
    return false;
  }
}
