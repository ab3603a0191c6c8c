"""Options that every command shares, and how a command speaks: for people, or as one JSON object at the end."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import click
import uvloop

from ecm import quiet_logs
from ecm.errors import EcmError
from ecm.store.migrate import MigrationError

P = ParamSpec("P")

data_option = click.option(
    "--data",
    "data_dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="ECM_DATA_DIR",
    default=Path(".ecm"),
    show_default=True,
    help="Where the embedded database lives; unused when ECM_DATABASE_URL is set.",
)
tenant_option = click.option(
    "--tenant", "tenant_id", type=int, default=1, show_default=True, help="Whose data."
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="End with one JSON object on the last line."
)


class Failed(Exception):
    """The work is done and its answer is bad news: told like any other answer, then exit status 1."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(answer)
        self.answer = answer


def runs(work: Callable[P, Coroutine[Any, Any, dict[str, Any] | None]]) -> Callable[P, None]:
    """Runs a command's coroutine. Errors the caller can act on are one line, and exit status 1.

    The coroutine returns what `--json` prints, or None; or raises it as Failed.
    """

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        from ecm.store.embedded import EmbeddedPostgresError

        as_json = bool(kwargs.pop("as_json", False))
        quiet_logs.install()
        logging.getLogger("httpx").setLevel(logging.WARNING)
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        failed = False
        try:
            answer = _run(work(*args, **kwargs))
        except Failed as bad_news:
            answer, failed = bad_news.answer, True
        except (EcmError, MigrationError, EmbeddedPostgresError) as error:
            if as_json:
                click.echo(json.dumps({"error": str(error)}))
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            sys.exit(130)
        if as_json:
            click.echo(json.dumps(answer or {}, default=str))
        if failed:
            sys.exit(1)

    return run


def _run(work: Coroutine[Any, Any, dict[str, Any] | None]) -> dict[str, Any] | None:
    """On the faster event loop, and with a collector that does not walk the whole program every few hundred rows."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
