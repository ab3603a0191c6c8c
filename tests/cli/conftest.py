"""`ecm` as people run it, on a database of the test's own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner

from ecm.cli import main
from ecm.store.embedded import Addresses


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit status. `answer`: the JSON object on its last line."""

    output: str
    status: int
    stdout: str = ""

    @property
    def answer(self) -> dict[str, Any]:
        answer = json.loads((self.stdout or self.output).strip().splitlines()[-1])
        assert isinstance(answer, dict)
        return answer


Ecm = Callable[..., Said]


@pytest.fixture
def ecm(database: Addresses) -> Ecm:
    """`ecm("key", "create", "phones")` on a migrated database."""
    return commands_on(database)


def commands_on(database: Addresses) -> Ecm:
    def run(*arguments: str, **settings: str) -> Said:
        env = environment(database) | settings
        done = CliRunner().invoke(main, list(arguments), env=env, catch_exceptions=False)
        return Said(done.output, done.exit_code, done.stdout)

    return run


def environment(database: Addresses) -> dict[str, str]:
    theirs = {name: value for name, value in os.environ.items() if not name.startswith("ECM_")}
    return theirs | {"ECM_DATABASE_URL": database.owner, "ECM_APP_DATABASE_URL": database.app}
