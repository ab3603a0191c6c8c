"""An ASGI application alone in a process, served as `ecm web` serves: `python -m tests.bench.serving factory port`."""

from __future__ import annotations

import sys

import uvicorn

from ecm import serving


def main() -> None:
    factory, port = sys.argv[1:]
    uvicorn.Server(serving.config(factory, "127.0.0.1", int(port), factory=True, loop="uvloop")).run()


if __name__ == "__main__":
    main()
