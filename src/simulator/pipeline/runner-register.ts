/** The task runners that have sent a heartbeat, and the answer to their next one. */

export interface RunnersSnapshot {
  readonly lastHeartbeatAt: Map<string, number>;
  readonly terminating: Set<string>;
  readonly isTerminatingAll: boolean;
}

/** Task runners by their id, and which of them must terminate. */
export class RunnerRegister {
  #lastHeartbeatAt = new Map<string, number>();
  #terminating = new Set<string>();
  #isTerminatingAll = false;

  snapshot(): RunnersSnapshot {
    return {
      lastHeartbeatAt: this.#lastHeartbeatAt,
      terminating: this.#terminating,
      isTerminatingAll: this.#isTerminatingAll,
    };
  }

  restore(earlier: RunnersSnapshot): void {
    this.#lastHeartbeatAt = earlier.lastHeartbeatAt;
    this.#terminating = earlier.terminating;
    this.#isTerminatingAll = earlier.isTerminatingAll;
  }

  /** `taskRunnerId`: an id, or `all`. */
  setTerminate(taskRunnerId: string, terminate: boolean): void {
    if (taskRunnerId === 'all') this.#isTerminatingAll = terminate;
    else if (terminate) this.#terminating.add(taskRunnerId);
    else this.#terminating.delete(taskRunnerId);
  }

  /** Returns whether the runner must terminate. */
  heartbeat(taskRunnerId: string, now: number): boolean {
    this.#lastHeartbeatAt.set(taskRunnerId, now);
    return this.#isTerminatingAll || this.#terminating.has(taskRunnerId);
  }

  list(): readonly { readonly taskRunnerId: string; readonly lastHeartbeatAt: number }[] {
    return [...this.#lastHeartbeatAt].map(([taskRunnerId, lastHeartbeatAt]) => ({
      taskRunnerId,
      lastHeartbeatAt,
    }));
  }
}
