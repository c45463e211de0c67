/**
 * Runs before the shim: waits until the agent has put it into its control group. If the agent dies first, the pipe
 * closes, no start lock is taken and nothing runs. The pipe is gone before the command begins.
 */
export const AWAIT_PLACE = `read -r placed <&3 || exit 125
exec 3<&-
`;

/**
 * Makes the shim the parent of every process of its run whose own parent has ended (PR_SET_CHILD_SUBREAPER, 36 of prctl(2),
 * kept over exec): without a control group that is how they are found. sh cannot make this call, perl can, and nearly every
 * host has it. Arguments: the number of prctl, then the command to become.
 */
export const BECOME_SUBREAPER = `syscall(0 + shift, 36, 1, 0, 0, 0);
exec { $ARGV[0] } @ARGV`;

/**
 * The shim of a run: a few lines of POSIX sh beside the command, which outlive the agent and record how the command ended.
 * It runs as the agent's user, in its record directory (run-directory.ts), which only that user can enter: a job of another
 * user can neither signal it nor touch its records. The job's user is for the command alone (enter-job.ts).
 *
 * `become`: what the subshell runs last, to become the job (enter-job.ts). Arguments: the number of the spawn, then those of
 * `become`.
 *
 * - The start lock comes first: whoever makes it owns the spawn, so a run can never be started twice. `set -C` makes a file that
 *   must not be there yet (O_EXCL); a program such as mkdir(1) would cost a start two milliseconds.
 * - Nothing runs before `started` is written, so a start lock without it means that the command never began.
 * - What it writes is open to its own user alone; the command has the agent's umask again. Linux shows that since 4.7: `$(umask)`
 *   is a process, and each costs a start half a millisecond.
 * - `started` is one write of one line: a reader sees all of it or none.
 * - Caught signals (unlike ignored ones) are back at their defaults in the command. The shell keeps waiting, and writes
 *   the record after a signal to the whole group. Only SIGKILL ends it early.
 * - The job begins in a subshell, so that the shim keeps the agent's protection from the kernel's memory killer while the job
 *   gives it up. The subshell leaves the record directory first, so that it is nobody's working directory.
 * - If the disk is full, the record is written again until there is room. If somebody removed the directory, the wait ends.
 */
export function shim(become: string): string {
  return `spawn=$1
shift
{ read -r key && read -r key mask; } <"/proc/$$/status"
[ "$key" = Umask: ] || mask=$(umask)
umask 077
set -C
true >"start-lock.$spawn" || exit 125
set +C
started() {
  printf '%s %s %s %s\\n' "$$" "$boot" "\${20}" "$MIGRATION_AGENT_SOCKET" >"started.$spawn"
}
read -r stat <"/proc/$$/stat" && read -r boot </proc/sys/kernel/random/boot_id &&
  started \${stat##*) } || exit 125
trap : HUP INT QUIT ABRT ALRM PIPE TERM USR1 USR2
(
  cd / || exit 126
  umask "$mask"
  ${become})
code=$?
until {
  printf '%s\\n' "$code" >"exit.$spawn.tmp" &&
    { sync "exit.$spawn.tmp" || :; } &&
    mv "exit.$spawn.tmp" "exit.$spawn"
} 2>/dev/null; do
  [ -f "start-lock.$spawn" ] || exit "$code"
  sleep 1
done
sync . 2>/dev/null
exit "$code"
`;
}
