"""The aws command, many calls in one process: its start takes most of what a call does.

Reads a JSON line for each call: {"args": [...], "env": {...}}. Answers each with one: {"code", "stdout", "stderr"}.
"""
import contextlib
import io
import json
import os
import sys

from awscli.clidriver import create_clidriver

# Where the package has put its models: it says so in a variable, once.
OWN = {"AWS_DATA_PATH": os.environ["AWS_DATA_PATH"]}


def call(args, env):
    os.environ.clear()
    os.environ.update({**env, **OWN})
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            # As /usr/bin/aws does. A new one each time: it keeps what it has read of the environment.
            code = create_clidriver().main(args)
        except SystemExit as end:
            code = end.code
    return {"code": code or 0, "stdout": out.getvalue(), "stderr": err.getvalue()}


for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(call(request["args"], request["env"])), flush=True)
