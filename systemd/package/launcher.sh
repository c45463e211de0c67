#!/bin/sh
# Starts migration-agent on the Node that came with it. The process becomes Node: systemd sees one main process.
here=$(dirname -- "$(readlink -f -- "$0")")
# A small young generation halves the agent's memory for a few per cent of CPU.
exec "$here/node" --max-semi-space-size=4 --disable-warning=ExperimentalWarning "$here/app/main.mjs" "$@"
