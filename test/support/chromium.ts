/** A headless Chromium, driven by its DevTools protocol over Node's own WebSocket. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
);

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--hide-scrollbars',
  '--remote-debugging-port=0',
];

type Parameters = Readonly<Record<string, unknown>>;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

export interface Page {
  /** One command of the protocol. Rejects with its error. */
  send(method: string, parameters?: Parameters): Promise<Record<string, unknown>>;
  /** The value of an expression in the page; promises are waited for. */
  evaluate(expression: string): Promise<unknown>;
  press(key: string): Promise<void>;
  /** Problems of the page: exceptions, requests that the policy refused, failed loads. */
  readonly complaints: string[];
  /** The addresses that it requested. */
  readonly requests: string[];
}

export class Chromium {
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor(child: ChildProcess, directory: string) {
    this.#process = child;
    this.#directory = directory;
  }

  static async start(): Promise<{ browser: Chromium; page: Page }> {
    const directory = mkdtempSync(join(tmpdir(), 'chromium-'));
    const args = [...FLAGS, `--user-data-dir=${directory}`, 'about:blank'];
    const child = spawn(CHROMIUM ?? 'chromium', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const browser = new Chromium(child, directory);
    const port = await portOf(child);
    const list = await fetch(`http://127.0.0.1:${port}/json/list`);
    const targets = (await list.json()) as { type: string; webSocketDebuggerUrl: string }[];
    const target = targets.find(({ type }) => type === 'page');
    const page = await connectPage(target?.webSocketDebuggerUrl ?? '');
    return { browser, page };
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function portOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr?.on('data', (piece: Buffer) => {
      text += piece.toString();
      const [, port] = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(text) ?? [];
      if (port !== undefined) resolve(port);
    });
    child.once('exit', () => reject(new Error(`chromium ended: ${text}`)));
  });
}

async function connectPage(url: string): Promise<Page> {
  const socket = new WebSocket(url);
  await once(socket, 'open');
  const waiting = new Map<number, (message: Message) => void>();
  const complaints: string[] = [];
  const requests: string[] = [];
  let last = 0;
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    if (message.method === 'Runtime.exceptionThrown' || message.method === 'Log.entryAdded') {
      complaints.push(JSON.stringify(message.params));
    }
    if (message.method === 'Network.requestWillBeSent') {
      requests.push((message.params as { request: { url: string } }).request.url);
    }
  });
  const send: Page['send'] = (method, parameters = {}) =>
    new Promise((resolve, reject) => {
      const id = (last += 1);
      waiting.set(id, ({ result, error }) => {
        waiting.delete(id);
        if (error === undefined) resolve(result ?? {});
        else reject(new Error(`${method}: ${error.message}`));
      });
      socket.send(JSON.stringify({ id, method, params: parameters }));
    });
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`);
  return {
    send,
    complaints,
    requests,
    evaluate: async (expression) => {
      const answer = await send('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      });
      if (answer['exceptionDetails'] !== undefined) {
        throw new Error(JSON.stringify(answer['exceptionDetails']));
      }
      return (answer['result'] as { value?: unknown }).value;
    },
    press: async (key) => {
      const text = key.length === 1 ? { text: key } : key === 'Enter' ? { text: '\r' } : {};
      await send('Input.dispatchKeyEvent', {
        type: 'keyDown',
        key,
        code: key,
        ...text,
        ...codeOf(key),
      });
      await send('Input.dispatchKeyEvent', { type: 'keyUp', key, code: key, ...codeOf(key) });
    },
  };
}

function codeOf(key: string): Parameters {
  const codes: Readonly<Record<string, number>> = { Tab: 9, Enter: 13, Escape: 27 };
  return { windowsVirtualKeyCode: codes[key] ?? key.charCodeAt(0) };
}
