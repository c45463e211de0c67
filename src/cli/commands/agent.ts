/** `drain`, `resume` and `reload`: what is done to the agent as a whole. */
import type { Command } from 'commander';

import { clientCommand, clientOf } from '../client/client-command.ts';
import type { SocketOption } from '../client/client-command.ts';
import { Refusal } from '../client/client.ts';
import { action, CommandFailure } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { processTerminal, print } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

export function drainCommand(terminal: Terminal = processTerminal()): Command {
  return agentCommand(terminal, 'drain', 'take no more pipeline tasks; running jobs go on');
}

export function resumeCommand(terminal: Terminal = processTerminal()): Command {
  return agentCommand(terminal, 'resume', 'take pipeline tasks again after a drain');
}

export function claimCommand(terminal: Terminal = processTerminal()): Command {
  return agentCommand(
    terminal,
    'claim',
    'declare that this state directory was moved here: runs that were withheld as runs of another host go on here',
  );
}

/** Returns when the new configuration is in force, so that `systemctl reload` fails if it is not. */
export function reloadCommand(terminal: Terminal = processTerminal()): Command {
  return agentCommand(
    terminal,
    'reload',
    'read the configuration again; an invalid one is refused (exit code 78) and the one in force stays',
  );
}

function agentCommand(
  terminal: Terminal,
  name: 'claim' | 'drain' | 'resume' | 'reload',
  description: string,
): Command {
  const message = { description, example: `migration-agent ${name}` };
  return clientCommand(name, message, terminal).action(
    action(terminal, async (options: SocketOption) => {
      try {
        const client = clientOf(options, terminal);
        const reply = await client.post<{ message: string }>(`/v1/${name}`);
        print(terminal, reply.message);
        return EXIT.ok;
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'invalid') throw error;
        throw new CommandFailure(EXIT.badConfiguration, error.message, { cause: error });
      }
    }),
  );
}
