/**
 * Cuts the output of a program into records, as a terminal would show them one after the other. A record ends at a
 * line feed, at a carriage return, and wherever the program moves the cursor back to draw over what it has printed.
 * Memory and time are bounded, whatever the program prints.
 */
import { StringDecoder } from 'node:string_decoder';

/** A longer record is cut at its front: the newest text counts. */
const RECORD_CHARACTERS_MAX = 64 * 1024;
/** What is left of a record that was cut. */
const NEWEST_CHARACTERS = 4096;
/** No terminal is wider: a program that draws over its own text changes no more than this. */
const REDRAWN_CHARACTERS_MAX = 512;
/** A longer escape sequence is none. */
const ESCAPE_CHARACTERS_MAX = 256;

/** Stands for the missing front of a record, so that nothing takes the rest of a number for a number. */
const CUT_MARK = '…';

/** Text; an escape sequence (ECMA-48: CSI, OSC, two characters); a run of one kind of control characters. */
const TOKEN =
  /[^\u0000-\u0008\u000a-\u001f\u007f]+|\u001b(?:\[([0-?]*)[ -/]*([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[()*+][0-9A-Z]|[ -Z\\^-~])|\n+|\r+|\u0008+|\u001b|[^\n\r\u0008\u001b]+?/g;

/** An escape sequence whose end is still to come. */
const BEGUN_ESCAPE = /\u001b(?:\[[0-?]*[ -/]*|\][^\u0007\u001b]*)?$/;

/** Move the cursor to another line or clear the screen: what follows is drawn anew. */
const LEAVES_LINE = new Set('ABEFHJSTdfsu'.split(''));

export class RecordSplitter {
  #decoder = new StringDecoder('utf8');
  #begunEscape = '';
  #line = '';
  #cursor = 0;
  #isRedrawn = false;
  #isCut = false;
  /** The beginning of the record was never seen. */
  #isSkipped = false;
  /** So many characters of redrawn lines may still be handed out for the present piece of output. */
  #redrawBudget = 0;
  #records: string[] = [];

  /** The records that have become complete. */
  push(chunk: Buffer): string[] {
    this.#records = [];
    this.#redrawBudget = 4 * chunk.length + REDRAWN_CHARACTERS_MAX;
    let text = this.#begunEscape + this.#decoder.write(chunk);
    const begun = BEGUN_ESCAPE.exec(text.slice(-ESCAPE_CHARACTERS_MAX))?.[0] ?? '';
    this.#begunEscape = begun;
    text = text.slice(0, text.length - begun.length);
    for (const [token, parameters = '', final] of text.matchAll(TOKEN)) {
      this.#take(token, parameters, final);
    }
    return this.#records;
  }

  /** The newest text of the record that has begun. */
  get unfinished(): string {
    const text = this.#line.slice(0, this.#cursor).slice(-NEWEST_CHARACTERS);
    const isWhole = text.length === this.#cursor && !this.#isCut && !this.#isSkipped;
    return isWhole || text === '' ? text : CUT_MARK + text;
  }

  /** Output was left out: what comes next belongs to another record, whose beginning may be missing. */
  reset(isSkipped: boolean): void {
    this.#decoder = new StringDecoder('utf8');
    this.#begunEscape = '';
    this.#begin();
    this.#isSkipped = isSkipped;
  }

  #take(token: string, parameters: string, final: string | undefined): void {
    if (final !== undefined) {
      this.#control(parameters, final);
      return;
    }
    switch (token.charAt(0)) {
      case '\n':
      case '\r':
      case '\v':
      case '\f':
        this.#finish();
        break;
      case '\b':
        this.#moveBack(token.length);
        break;
      case '\u001b':
        // ESC 8 and ESC M move the cursor; the other sequences set colours, titles and modes.
        if (token === '\u001b8' || token === '\u001bM') this.#finish();
        break;
      default:
        if (token !== '\u007f' && (token >= ' ' || token.startsWith('\t'))) this.#write(token);
    }
  }

  #control(parameters: string, final: string): void {
    const count = Number.parseInt(parameters, 10) || 1;
    if (LEAVES_LINE.has(final)) this.#finish();
    else if (final === 'D') this.#moveBack(count);
    else if (final === 'C') this.#write(' ');
    else if (final === 'G' || final === '`') this.#moveTo(count);
    else if (final === 'K') this.#erase(parameters);
  }

  #moveTo(column: number): void {
    if (column === 1) this.#finish();
    else this.#write(' ');
  }

  #erase(parameters: string): void {
    if (parameters === '' || parameters === '0') this.#line = this.#line.slice(0, this.#cursor);
    else this.#finish();
  }

  #write(text: string): void {
    this.#isRedrawn = false;
    if (this.#cursor < this.#line.length) {
      this.#line =
        this.#line.slice(0, this.#cursor) + text + this.#line.slice(this.#cursor + text.length);
    } else {
      this.#line += text;
    }
    this.#cursor += text.length;
    if (this.#line.length > RECORD_CHARACTERS_MAX) this.#cut(NEWEST_CHARACTERS);
  }

  #moveBack(columns: number): void {
    if (this.#line.length > REDRAWN_CHARACTERS_MAX) this.#cut(REDRAWN_CHARACTERS_MAX);
    if (!this.#isRedrawn && this.#redrawBudget > 0) {
      this.#redrawBudget -= this.#line.length;
      this.#emit();
    }
    this.#isRedrawn = true;
    this.#cursor = Math.max(0, this.#cursor - columns);
  }

  #cut(characters: number): void {
    const removed = this.#line.length - characters;
    this.#line = this.#line.slice(removed);
    this.#cursor = Math.max(0, this.#cursor - removed);
    this.#isCut = true;
  }

  #finish(): void {
    // What is drawn over was handed out when the cursor moved back.
    if (!this.#isRedrawn) this.#emit();
    this.#begin();
  }

  #emit(): void {
    // The rest of a record whose beginning was skipped is worth nothing, unless it is long.
    if (this.#line === '' || (this.#isSkipped && !this.#isCut)) return;
    const text = this.#line.slice(0, this.#cursor) + this.#rest();
    this.#records.push(this.#isCut ? CUT_MARK + text : text);
  }

  /** What was not drawn over. A number there is an older one, and would be taken for the newest. */
  #rest(): string {
    const rest = this.#line.slice(this.#cursor);
    const digit = rest.search(/\p{Nd}/u);
    return digit < 0 ? rest : rest.slice(0, digit);
  }

  #begin(): void {
    this.#line = '';
    this.#cursor = 0;
    this.#isCut = false;
    this.#isSkipped = false;
  }
}
