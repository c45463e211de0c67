/** What the commands that talk to the agent have in common: `--socket`, and how they find its client. */
import { Option, type Command } from 'commander';

import { createClient } from './client.ts';
import type { Client } from './client.ts';
import { newCommand } from '../command.ts';
import { resolveSocket } from './socket-path.ts';
import { heightOf, jsonText, wantsColor, widthOf } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { View } from '../views/view.ts';

export interface SocketOption {
  readonly socket?: string;
}

export function clientCommand(
  name: string,
  texts: { readonly description: string; readonly example: string },
  terminal: Terminal,
): Command {
  return newCommand(name, texts, terminal).addOption(
    new Option(
      '--socket <path>',
      "the agent's socket; default: MIGRATION_AGENT_SOCKET, else agent.socket of the configuration",
    ),
  );
}

export function clientOf(options: SocketOption, terminal: Terminal): Client {
  return createClient(resolveSocket(options.socket, terminal.environment));
}

/** How documents are shown on standard output. `at`: the agent's own time of the document. */
export function viewOf(terminal: Terminal, at: string): View {
  return {
    width: widthOf(terminal.stdout),
    color: wantsColor(terminal.stdout, terminal.environment),
    now: new Date(at),
  };
}

/** As `viewOf`, for a picture that fits the terminal. */
export function fittingViewOf(terminal: Terminal, at: string): View {
  const view = viewOf(terminal, at);
  // One row is for the cursor, or for the prompt.
  return terminal.stdout.isTTY === true ? { ...view, height: heightOf(terminal.stdout) - 1 } : view;
}

/** JSON on standard output, one document a line. */
export function printJson(terminal: Terminal, document: unknown): void {
  terminal.stdout.write(`${jsonText(document)}\n`);
}
