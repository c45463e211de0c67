/** Mutants written by hand of what touches the host, AWS and people: see listed.ts. */

/** The source file and its test, below `src` and `test`, and the changes. */
export const LISTED_HOST: readonly (readonly [
  source: string,
  test: string,
  changes: readonly (readonly [from: string, to: string])[],
])[] = [
  [
    'jobs/process/process-tree',
    'jobs/process/pid-reuse',
    [
      // A pid that was given away is spared.
      [
        'return present?.startTicks === entry.startTicks && isAlive(present);',
        'return present !== undefined && isAlive(present);',
      ],
    ],
  ],
  [
    'jobs/process/process-tree',
    'jobs/process/process-tree',
    [
      // The shim is spared until it has written how the command ended.
      ['if (spared && this.#isShim(entry)) return;', ''],
      // A stopped process cannot act on a signal.
      ["if (entry.state === 'T') strike(entry, 'SIGCONT');", ''],
      // What outlives its boot is a stranger.
      [
        'this.#isOfThisBoot = shim === undefined || shim.bootId === bootId;',
        'this.#isOfThisBoot = true;',
      ],
    ],
  ],
  [
    'jobs/process/cgroups',
    'jobs/process/cgroup-files',
    [
      ['...groupsIn(path).flatMap((name) => membersBelow(join(path, name)))', ''],
      ['name.startsWith(`run-${this.#owner}-`)', "name.startsWith('run-')"],
      ["if (this.name.endsWith('.service')) return true;", ''],
      ['if (events !== undefined) return /^populated 0$/m.test(events);', ''],
      ['const own = pids.filter((pid) => pid > 0);', 'const own = pids;'],
      [
        'throw new CannotSee(`${this.path} holds processes that cannot be seen from here`);',
        'return [];',
      ],
    ],
  ],
  [
    'jobs/tracked/unit-state',
    'jobs/tracked/unit-state',
    [
      // The invocation that had ended before is not the one that is tracked.
      ["present === before || present === ''", "present === ''"],
      ['startedUs + FORK_US_MAX < begunUs', 'startedUs < begunUs'],
      ["if (ActiveState === 'active' && SubState === 'exited') return false;", ''],
    ],
  ],
  [
    'jobs/tracked/directory',
    'jobs/tracked/directory',
    [
      // Gone, back and gone: its whole time again.
      ['    delete watched.goneSinceMs;\n', ''],
      ['    delete watched.version;\n    delete watched.unconfirmedProblem;\n', ''],
      [
        'if (this.#watched.has(watched.run)) this.#apply(watched, read);',
        'this.#apply(watched, read);',
      ],
      ['reason === undefined ? undefined : this.#options.mask(reason)', 'reason'],
    ],
  ],
  [
    'jobs/supervise/start-failures',
    'jobs/supervise/start-failures',
    [
      ['if (exitCode !== 126 && exitCode !== 127) return errorTail;', ''],
      ["lines.at(-1) ?? ''", "lines[0] ?? ''"],
      ['[...lines.slice(0, -1), message]', '[message]'],
    ],
  ],
  [
    'aws/budget/fleet',
    'aws/budget/fleet-answers',
    [
      // Calls whose answer came late are given back.
      [
        'const debt = isLate ? give : Math.min(give, Math.max(0, -left));',
        'const debt = Math.min(give, Math.max(0, -left));',
      ],
      [
        'this.#slowAnswers = isLate ? this.#slowAnswers + 1 : 0;',
        'if (isLate) this.#slowAnswers += 1;',
      ],
      ['await connection?.leave().catch(() => undefined);', ''],
      [
        '    this.#goAloneAfter(this.#options.monotonicMs());\n    this.#join();',
        '    this.#join();',
      ],
    ],
  ],
  [
    'aws/budget/host-budget',
    'aws/budget/host-budget',
    [
      ['this.#calls = Math.floor(level);', 'this.#calls = Math.ceil(level);'],
      ['Math.max(0, nowMs - this.#earnedAtMs)', 'nowMs - this.#earnedAtMs'],
      ['Math.min(this.#part + earned, this.#room())', 'this.#part + earned'],
      [
        'const calls = Math.max(this.#submitted, Math.floor(this.#bucket.capacity));',
        'const calls = Math.floor(this.#bucket.capacity);',
      ],
      ['Math.min(slots, this.#calls - this.#submitted)', 'Math.min(slots, this.#calls)'],
    ],
  ],
  [
    'aws/client/credentials',
    'aws/client/credentials',
    [
      // The rejection of an older signature says nothing of newer credentials.
      ['if (this.#held !== undefined && this.#held !== refused) return;', ''],
      // A helper that hangs for ever is given up.
      [
        'nowMs - earlier.sinceMs < ABANDON_LIMITS * this.#options.limitMs',
        'nowMs - earlier.sinceMs < Infinity',
      ],
      ['if (this.#loading !== loading) return;', ''],
    ],
  ],
  [
    'aws/services',
    'aws/failures',
    [
      [
        'const limitMs = isPoll ? this.#limits.pollMs : this.#limits.callMs;',
        'const limitMs = this.#limits.pollMs;',
      ],
      ['if (inARow === BROKEN_IN_A_ROW) pool.closeIdle();', ''],
      [
        "      this.#broken.delete(pool);\n      return { kind: 'accepted', answer, ...dated(exchange) };",
        "      return { kind: 'accepted', answer, ...dated(exchange) };",
      ],
    ],
  ],
  [
    'aws/outcomes',
    'aws/outcomes',
    [
      [
        'Array.from(maskSecrets(line)).slice(0, REASON_POINTS_MAX)',
        'Array.from(maskSecrets(Array.from(line).slice(0, REASON_POINTS_MAX).join("")))',
      ],
      ['if (silentMs < quietPollMs || failed.limitMs !== undefined) return false;', ''],
      ['Math.min(Math.max(...waitsMs), RETRY_AFTER_MS_MAX)', 'Math.max(...waitsMs)'],
    ],
  ],
  [
    'control/browser/page',
    'control/browser/page',
    [
      ["if (latest !== undefined) wanted.set('since', latest.version);", ''],
      ["agent.health === 'healthy' ? 'good' : 'bad'", "'good'"],
      ["button.dataset['state'] = name;", ''],
      ['slackS < 0 ?', 'slackS <= 41 ?'],
      ['rows.get(name)', 'rows.get(order[0] ?? name)'],
      ['if (focused !== undefined) buttons', 'if (focused === undefined) buttons'],
      ['if (!document.hidden || latest === undefined) await refresh();', 'await refresh();'],
    ],
  ],
  [
    'control/routes/job-log',
    'control/routes/job-log',
    [
      // A log that grows as fast as it is read must not hold the answer.
      ['follow ? Infinity : ((await log.end()) ?? 0)', 'Infinity'],
      ['piece.bytes.subarray(0, length)', 'piece.bytes'],
      [
        "if (!response.write(bytes)) await once(response, 'drain', { signal });",
        'response.write(bytes);',
      ],
    ],
  ],
  [
    'control/lib/output-tail',
    'control/lib/output-tail',
    [
      // Half a line may be half a secret.
      ['from === 0 ? text : text.slice(text.search(/[\\r\\n]/) + 1)', 'text'],
      ['.subarray(0, bytesMax)', ''],
    ],
  ],
  [
    'control/lib/ad-hoc',
    'control/lib/ad-hoc',
    [
      [
        'peer !== undefined && (peer.uid === 0 || peer.uid === agentUid)',
        'peer === undefined || peer.uid === 0 || peer.uid === agentUid',
      ],
      [
        "if (policy === 'group' || isAgentOrRoot(peer, agentUid)) return undefined;",
        "if (policy !== 'off' || isAgentOrRoot(peer, agentUid)) return undefined;",
      ],
    ],
  ],
  [
    'control/routes/tracked',
    'control/routes/tracked',
    [
      ['if (isAgentOrRoot(peer, agentUid)) return undefined;', 'return undefined;'],
      ['detail === undefined ? undefined : plainDetail(detail)', 'detail'],
      ["if (problems.length > 0) throw new Problem('invalid', listed(problems, '; '));", ''],
    ],
  ],
  [
    'control/routes/outbox',
    'control/routes/outbox',
    [
      ['choice: defined({ job, destination })', 'choice: defined({ job })'],
      [
        "only quarantined ones',\n      audited: true,\n      privileged: true,",
        "only quarantined ones',\n      audited: true,",
      ],
    ],
  ],
  [
    'control/routes/job-records',
    'control/routes/event-stream',
    [
      // A later run of the job: nothing more comes of this one.
      ['job?.run !== run || job.endedAt !== undefined', 'job?.endedAt !== undefined'],
      ['(wanted < 1 || wanted > job.run)', '(wanted < 0 || wanted > job.run)'],
    ],
  ],
  [
    'control/metrics',
    'control/http/tcp-listener',
    [["events: ['lease.fenced', 'lease.gone']", "events: ['lease.gone']"]],
  ],
  [
    'control/job-metrics',
    'control/http/tcp-listener',
    [['/^(?:failed|lost|fenced)$/', '/^(?:failed|lost)$/']],
  ],
  [
    'cli/commands/history',
    'cli/commands/history',
    [
      ['updates.toSorted(byTime)', 'updates'],
      ['if (!isExpired || start === STARTS_MAX) throw error;', 'if (!isExpired) throw error;'],
      ['if (seen.has(nextToken)) {', 'if (seen.size < 0) {'],
      ['run: run === undefined ? undefined : String(run)', 'run: undefined'],
    ],
  ],
  [
    'cli/notify/send-with-retries',
    'cli/notify/send-with-retries',
    [
      ['Math.max(PAUSE_MS * 2 ** (attempt - 1), wantedMs)', 'PAUSE_MS * 2 ** (attempt - 1)'],
      ['attempt === ATTEMPTS_MAX || pauseMs > PAUSE_MS_MAX', 'attempt === ATTEMPTS_MAX'],
    ],
  ],
  ['cli/notify/input', 'cli/notify/input', [['Array.from(text).length', 'text.length']]],
  [
    'cli/notify/aws-shorthand',
    'cli/notify/input',
    [['return Math.floor(ms / 1000);', 'return Math.ceil(ms / 1000);']],
  ],
  [
    'cli/notify/command',
    'cli/notify/command',
    [['    options.region ??\n    hub?.region ??', '    hub?.region ??']],
  ],
  [
    'cli/file-system/state-directory',
    'cli/file-system/state-directory',
    [
      ['(mode & 0o007) !== 0', '(mode & 0o002) !== 0'],
      ['if (freeBytes < SPACE_BYTES_MIN) return', 'if (freeBytes < 0) return'],
      ['syncMs > SYNC_MS_MAX', 'syncMs > Infinity'],
    ],
  ],
  [
    'cli/doctor/systemd-check',
    'cli/doctor/systemd-check',
    [
      [
        "service.get('Delegate') === 'yes' && service.get('KillMode') === 'process'",
        "service.get('Delegate') === 'yes'",
      ],
    ],
  ],
  ['cli/doctor/iam-policy', 'cli/doctor/iam-policy', [["? 'aws-us-gov'", "? 'aws'"]]],
  [
    'system/masked-fields',
    'system/masked-fields',
    [
      // Half a secret would not be recognised.
      [
        'const masked = maskSecrets(text);',
        'const masked = maskSecrets(text.slice(0, TEXT_LENGTH_MAX + 1));',
      ],
    ],
  ],
];
