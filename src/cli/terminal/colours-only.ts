/**
 * The output of a job on a terminal: text and colours pass, everything else that a terminal would obey does not. It is a
 * stream: a sequence may be split between two pieces.
 */
import { StringDecoder } from 'node:string_decoder';

/** A longer sequence is no colour. */
const SEQUENCE_MAX = 64;
const ESCAPE = '\u001b';
const RESET = `${ESCAPE}[0m`;
/** SGR 8 hides the text that follows. */
const CONCEAL = 8;

/** Where in a sequence (ECMA-48) the stream is. */
type State = 'text' | 'escape' | 'csi' | 'string' | 'string-escape';

export class ColoursOnly {
  readonly #keepsColours: boolean;
  readonly #decoder = new StringDecoder('utf8');
  #state: State = 'text';
  #parameters = '';
  #isPainted = false;
  #isAfterReturn = false;

  constructor(keepsColours: boolean) {
    this.#keepsColours = keepsColours;
  }

  next(piece: Uint8Array): string {
    return this.#filter(this.#decoder.write(Buffer.from(piece)));
  }

  /** What is left, and an end to the job's colours. */
  end(): string {
    return this.#filter(this.#decoder.end()) + (this.#isPainted ? RESET : '');
  }

  #filter(text: string): string {
    let result = '';
    for (const character of text) result += this.#take(character);
    return result;
  }

  #take(character: string): string {
    // No sequence goes over a line, so that one that never ends hides nothing but its own line.
    if (character === '\n' || character === '\r') {
      this.#state = 'text';
      return this.#lineBreak(character);
    }
    switch (this.#state) {
      case 'text':
        return this.#text(character);
      case 'escape':
        return this.#afterEscape(character);
      case 'csi':
        return this.#csi(character);
      case 'string':
        if (character === ESCAPE) this.#state = 'string-escape';
        else if (character === '\u0007' || character === '\u009c') this.#state = 'text';
        return '';
      case 'string-escape':
        this.#state = character === '\\' ? 'text' : 'string';
        return '';
    }
  }

  /** A carriage return would let the job write over its line: progress that is redrawn comes line by line instead. */
  #lineBreak(character: string): string {
    const isSecondHalf = character === '\n' && this.#isAfterReturn;
    this.#isAfterReturn = character === '\r';
    return isSecondHalf ? '' : '\n';
  }

  #text(character: string): string {
    this.#isAfterReturn = false;
    if (character === ESCAPE) this.#state = 'escape';
    else if (character === '\u009b') this.#begin();
    else if (/[\u0090\u0098\u009d-\u009f]/.test(character)) this.#state = 'string';
    else if (character === '\t' || !isControl(character)) return character;
    return '';
  }

  #afterEscape(character: string): string {
    if (character === '[') this.#begin();
    else if (/[\]PX^_]/.test(character)) this.#state = 'string';
    // Such as the choice of a character set, which has one more character.
    else if (!/[ -/]/.test(character)) this.#state = 'text';
    return '';
  }

  #begin(): void {
    this.#state = 'csi';
    this.#parameters = '';
  }

  #csi(character: string): string {
    if (/[@-~]/.test(character)) {
      this.#state = 'text';
      return character === 'm' ? this.#colour() : '';
    }
    this.#parameters += character;
    if (this.#parameters.length > SEQUENCE_MAX || !/[ -?]/.test(character)) this.#state = 'text';
    return '';
  }

  #colour(): string {
    if (!this.#keepsColours || !/^[\d;:]*$/.test(this.#parameters)) return '';
    if (hides(this.#parameters)) return '';
    this.#isPainted = !/^0*$/.test(this.#parameters);
    return `${ESCAPE}[${this.#parameters}m`;
  }
}

/** Whether one of the parameters is 8 itself, and not a part of a colour: 38;5;8. */
function hides(parameters: string): boolean {
  const values = parameters.split(';').map((each) => Number(each.split(':')[0]));
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === CONCEAL) return true;
    if (value === 38 || value === 48 || value === 58) i += values[i + 1] === 5 ? 2 : 4;
  }
  return false;
}

/** Joiners of scripts and emoji are format characters too, and harmless. */
function isControl(character: string): boolean {
  return /[\p{Cc}\p{Cf}\u2028\u2029]/u.test(character) && !/[\u200c\u200d]/u.test(character);
}
