/**
 * The status page as the browser gets it. Its policy lets run only scripts and styles of this origin, and of this origin
 * only files of the page are served as such: a job's output or name can become neither.
 */
import { readPageFiles } from './page-files.ts';

export const PAGE_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  ts: 'text/javascript; charset=utf-8',
};

export class PageAssets {
  /** Read when somebody first opens the page. */
  #files: Readonly<Record<string, string>> | undefined;

  get(name: string): { readonly type: string; readonly text: string } | undefined {
    this.#files ??= readPageFiles();
    if (!Object.hasOwn(this.#files, name)) return undefined;
    const text = this.#files[name];
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
    return text === undefined || type === undefined ? undefined : { type, text };
  }
}
