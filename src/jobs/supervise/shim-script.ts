/**
 * Before the shim: waits until the agent has put it into its place (its control group). An agent that dies first
 * closes the pipe, and nothing is locked and nothing runs. The pipe is gone before the command begins.
 */
export const AWAIT_PLACE = `read -r placed <&3 || exit 125
exec 3<&-
unset placed
`;

/**
 * Makes the shim the parent of everybody in its run whose own parent has ended (PR_SET_CHILD_SUBREAPER, 36 of
 * prctl(2), kept over exec): without a control group that is how they are found. sh has no word for it, perl does,
 * and is on nearly every host. Arguments: the number of prctl, then the command to become.
 */
export const BECOME_SUBREAPER = `delete $ENV{PERL_BADLANG};
syscall(0 + shift, 36, 1, 0, 0, 0);
exec { $ARGV[0] } @ARGV`;

/**
 * The shim of a run: a few lines of POSIX sh that live beside the command, outlive the agent and write down
 * how the command ended. The agent starts it in a session of its own, in the run directory (paths are relative,
 * since a job's user may not walk through the state directory). Where the files lie is the business of
 * run-directory.ts.
 *
 * Arguments: $1 number of the spawn, $2 working directory, $3 PATH of the job, then the command.
 *
 * - The start lock comes first: whoever makes the directory owns the spawn, so a run can never be started twice.
 * - Nothing runs before `started` is written, so a start lock without it means that the command never began.
 * - Caught signals (unlike ignored ones) are back at their defaults in the command; the shell waits on, and
 *   writes the record after a signal to the whole group. Only SIGKILL ends it early.
 * - `exec`, so that no built-in of the shell answers for a command of the same name; in a subshell, so that the
 *   shim itself keeps the agent's protection from the kernel's memory killer while the job is offered to it.
 * - Where the disk is full the record is tried again until there is room; a run directory that somebody
 *   removed ends the wait.
 */
export const SHIM = `mkdir "start-lock.$1" || exit 125
(
  read -r stat <"/proc/$$/stat"
  read -r boot </proc/sys/kernel/random/boot_id
  set -- "$1" \${stat##*) }
  printf '%s %s %s %s\\n' "$$" "$boot" "\${21}" "$MIGRATION_AGENT_SOCKET" >"started.$1.tmp" &&
    mv "started.$1.tmp" "started.$1"
) || exit 125
trap : HUP INT QUIT ABRT ALRM PIPE TERM USR1 USR2
(
  cd "$2" || exit 126
  { echo 500 >/proc/self/oom_score_adj; } 2>/dev/null
  PATH=$3
  export PATH
  unset OLDPWD
  shift 3
  exec "$@"
)
set -- "$1" "$?"
until {
  printf '%s\\n' "$2" >"exit.$1.tmp" &&
    { sync "exit.$1.tmp" || :; } &&
    mv "exit.$1.tmp" "exit.$1"
} 2>/dev/null; do
  [ -d "start-lock.$1" ] || exit "$2"
  sleep 1
done
sync . 2>/dev/null
exit "$2"
`;
