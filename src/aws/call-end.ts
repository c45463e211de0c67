/**
 * How a call is ended early: by its time limit, or because the agent closes. It is also the signal that the SDK's request
 * handler takes, in the older form with `onabort`: an AbortSignal and its listeners would be a tenth of what a call costs.
 */
export class CallEnd {
  aborted = false;
  reason: Error | undefined;
  /** Set by the request handler. */
  onabort: (() => void) | null = null;
  #reject: ((reason: Error) => void) | undefined;

  abort(reason: Error): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.#reject?.(reason);
    this.onabort?.();
  }

  /** The promise, or a rejection as soon as the call is ended: the SDK watches the signal only while it sends. */
  race<Value>(promise: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (this.reason !== undefined) reject(this.reason);
      this.#reject = reject;
      promise.then(resolve, reject);
    });
  }
}
