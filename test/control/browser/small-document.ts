/**
 * As much of a browser's document as the scripts of the status page use, so that what they draw is tested on hosts without a
 * browser too. test/control/page has the same scripts in Chromium.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Child = SmallElement | string;

interface SmallEvent {
  readonly key?: string;
  preventDefault(): void;
}

export class SmallElement {
  readonly tagName: string;
  readonly attributes = new Map<string, string>();
  readonly dataset: Record<string, string> = {};
  readonly #owner: SmallDocument;
  readonly #listeners = new Map<string, ((event: SmallEvent) => void)[]>();
  #children: Child[] = [];
  parent: SmallElement | undefined;
  className = '';
  value: unknown = '';
  hidden = false;
  scrollTop = 0;
  scrollHeight = 0;
  clientHeight = 0;
  clientWidth = 0;

  constructor(tagName: string, owner: SmallDocument) {
    this.tagName = tagName;
    this.#owner = owner;
  }

  get children(): { readonly length: number; item(index: number): SmallElement | null } {
    const elements = this.elements();
    return { length: elements.length, item: (index) => elements[index] ?? null };
  }

  get lastElementChild(): SmallElement | undefined {
    return this.elements().at(-1);
  }

  get textContent(): string {
    return this.#children
      .map((child) => (typeof child === 'string' ? child : child.textContent))
      .join('');
  }

  set textContent(text: string) {
    this.replaceChildren(text);
  }

  get outerHTML(): string {
    const inner = this.#children.map((child) =>
      typeof child === 'string' ? child : child.outerHTML,
    );
    const attributes = [...this.attributes].map(([name, value]) => ` ${name}="${value}"`).join('');
    return `<${this.tagName} class="${this.className}" value="${String(this.value)}"${attributes}>${inner.join('')}</${this.tagName}>`;
  }

  elements(): readonly SmallElement[] {
    return this.#children.filter((child) => typeof child !== 'string');
  }

  append(...added: readonly Child[]): void {
    for (const child of added) this.#insert(child, this.#children.length);
  }

  insertBefore(added: SmallElement, before: SmallElement | null): void {
    added.remove();
    this.#insert(added, before === null ? this.#children.length : this.#children.indexOf(before));
  }

  replaceChildren(...added: readonly Child[]): void {
    for (const child of this.elements()) child.remove();
    this.#children = [];
    this.append(...added.filter((child) => child !== ''));
  }

  remove(): void {
    const siblings = this.parent === undefined ? [] : this.parent.#children;
    const at = siblings.indexOf(this);
    if (at >= 0) siblings.splice(at, 1);
    this.parent = undefined;
    // An element that leaves the document loses the focus.
    const { activeElement } = this.#owner;
    if (activeElement !== null && this.#holds(activeElement)) this.#owner.activeElement = null;
  }

  setAttribute(name: string, value: string): void {
    if (name === 'class') this.className = value;
    else this.attributes.set(name, value);
  }

  getAttribute(name: string): string | null {
    return name === 'class' ? this.className : (this.attributes.get(name) ?? null);
  }

  addEventListener(type: string, listener: (event: SmallEvent) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  /** True if a listener prevented what the browser does by itself. */
  dispatch(type: string, key?: string): boolean {
    let isPrevented = false;
    const event = {
      ...(key === undefined ? {} : { key }),
      preventDefault: () => {
        isPrevented = true;
      },
    };
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
    return isPrevented;
  }

  click(): void {
    this.dispatch('click');
  }

  focus(): void {
    this.#owner.activeElement = this;
  }

  /** By `tag`, `.class` or both. */
  querySelectorAll(selector: string): readonly SmallElement[] {
    const [tag = '', ...classes] = selector.split('.');
    return this.elements().flatMap((child) => [
      ...((tag === '' || child.tagName === tag) &&
      classes.every((one) => child.className.split(' ').includes(one))
        ? [child]
        : []),
      ...child.querySelectorAll(selector),
    ]);
  }

  querySelector(selector: string): SmallElement | null {
    return this.querySelectorAll(selector)[0] ?? null;
  }

  #insert(child: Child, at: number): void {
    if (typeof child !== 'string') {
      child.remove();
      child.parent = this;
    }
    this.#children.splice(Math.min(at, this.#children.length), 0, child);
  }

  #holds(other: SmallElement): boolean {
    for (let at: SmallElement | undefined = other; at !== undefined; at = at.parent) {
      if (at === this) return true;
    }
    return false;
  }
}

export class SmallDocument extends SmallElement {
  readonly #byId = new Map<string, SmallElement>();
  activeElement: SmallElement | null = null;
  title = '';

  constructor() {
    super('#document', undefined as never);
    // The elements of the page that its scripts look for, one beside the other.
    const page = readFileSync(
      join(import.meta.dirname, '../../../src/control/browser/index.html'),
      'utf8',
    );
    for (const [, tag = '', id = ''] of page.matchAll(/<(\w+)\b[^>]*?\bid="([\w-]+)"/g)) {
      const element = new SmallElement(tag, this);
      // A filter has no value until somebody types, and the first order is chosen.
      if (id === 'sort') element.value = 'attention';
      this.#byId.set(id, element);
    }
    this.id('jobs').clientWidth = 640;
  }

  /** Fails if the page has no such element. */
  id(name: string): SmallElement {
    const found = this.#byId.get(name);
    if (found === undefined) throw new Error(`index.html has no element ${name}`);
    return found;
  }

  getElementById(name: string): SmallElement | null {
    return this.#byId.get(name) ?? null;
  }

  createElement(tag: string): SmallElement {
    return new SmallElement(tag, this);
  }

  createElementNS(_namespace: string, tag: string): SmallElement {
    return new SmallElement(tag, this);
  }
}

/** Makes it the document that the scripts find. */
export function useSmallDocument(): SmallDocument {
  const made = new SmallDocument();
  Object.assign(globalThis, { document: made });
  return made;
}

/** A script of the page. Its types are those of a browser, which the tests do not have. */
export async function browserScript<Exports>(name: string): Promise<Exports> {
  return (await import(
    new URL(`../../../src/control/browser/${name}`, import.meta.url).href
  )) as Exports;
}
