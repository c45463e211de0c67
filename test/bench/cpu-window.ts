/** CPU and wall time of a process over a number of reports, after a number of others that warmed it up. */
import { cpuUs } from './rounds.ts';

export interface DeliveryOptions {
  readonly url: string;
  readonly warm: number;
  readonly count: number;
  readonly concurrency: number;
}

export interface Delivery {
  readonly cpuUs: number;
  readonly wallUs: number;
}

export class CpuWindow {
  readonly #warm: number;
  readonly #count: number;
  #delivered = 0;
  #begin = { cpuUs: 0, wallMs: 0 };
  #end: { readonly cpuUs: number; readonly wallMs: number } | undefined;

  constructor({ warm, count }: { readonly warm: number; readonly count: number }) {
    this.#warm = warm;
    this.#count = count;
  }

  /** Before that the SDK is being loaded, and on a busy machine the first calls may be too late. */
  get hasBegun(): boolean {
    return this.#delivered >= this.#warm;
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** Call at each accepted report. True: it was the last that counts. */
  delivered(): boolean {
    this.#delivered++;
    if (this.#delivered === this.#warm) this.#begin = this.#read();
    if (this.#delivered !== this.#warm + this.#count) return false;
    this.#end = this.#read();
    return true;
  }

  /** For each report. */
  result(): Delivery {
    if (this.#end === undefined) throw new Error(`only ${this.#delivered} reports were delivered`);
    return {
      cpuUs: (this.#end.cpuUs - this.#begin.cpuUs) / this.#count,
      wallUs: ((this.#end.wallMs - this.#begin.wallMs) * 1000) / this.#count,
    };
  }

  #read(): { readonly cpuUs: number; readonly wallMs: number } {
    return { cpuUs: cpuUs(), wallMs: performance.now() };
  }
}
