"""The AWS emulator that tests run against: moto's server, with hooks of our own for what it leaves out.

As a program it serves on one port until it is ended: `python -m tests.emulator.server PORT`. Each module in
HOOKS adds what moto lacks; `install(port)` of a module patches moto in this process.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

HOOKS = ("athena", "glue", "sagemaker", "stacks", "cloudformation", "sqs")


def main(port: int) -> None:
    """Serve on a port of the loopback interface."""
    from moto.server import main as serve

    for name in HOOKS:
        if find_spec(f"tests.emulator.{name}"):
            import_module(f"tests.emulator.{name}").install(port)
    serve(["-H", "127.0.0.1", "-p", str(port)])


if __name__ == "__main__":
    main(int(sys.argv[1]))
