"""`python -m tests.prove.doors` (`make prove-doors`): who may see and do what, ending with one table.

`--only R14` runs one step. The OpenID Connect provider is a real one, run beside the tests; passkeys are made by a
real browser's virtual authenticator.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.prove.dependencies import MINUTES, NOT_ASKED
from tests.prove.steps import Item, Step, of_tests, prove

BOTH = "slow or not slow"

# name: what it shows, the tests, and the marker that narrows them ("" for none).
TESTS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "R14": (
        "every door x every asker, with our checks and without them; mutants noticed",
        ("tests/doors", "tests/house/test_actions.py", "tests/test_permit.py"),
        BOTH,
    ),
    "locks": (
        "the second lock: provider, care worker and role in the database",
        ("tests/house/test_locks.py", "tests/house/test_tenancy.py", "tests/api/test_second_lock.py"),
        "",
    ),
    "R15": ("Schemathesis over the whole description", ("tests/api/test_schemathesis.py",), BOTH),
    "R18": ("the audit chain: 10,000 mutations, each found", ("tests/audit",), BOTH),
    "ways in": (
        "passkeys, codes, a council's own sign-in, sessions, the same refusal for all",
        ("tests/identity", "tests/api/test_oidc_settings.py"),
        BOTH,
    ),
    "browser": (
        "signing in, setting up and the settings in a real browser",
        ("tests/web/test_signing_in.py", "tests/web/test_setup_page.py", "tests/web/test_settings_pages.py",
         "tests/web/test_own_page.py"),
        BOTH,
    ),
    "cuts": (
        "leavers and lost phones cut off at once, sockets too",
        ("tests/board/test_cuts.py", "tests/board/test_cage.py", "tests/test_cuts.py", "tests/api/test_leavers.py",
         "tests/web/app/test_shared_phone.py", "tests/ingest/test_phones.py"),
        "",
    ),
    "privacy": (
        "key safes, positions reduced, what is held, nothing personal outside",
        ("tests/privacy",),
        BOTH,
    ),
    "safety": (
        "ASVS, documents, headers, outgoing requests, refusals counted, privileges",
        ("tests/house", "tests/test_outgoing.py", "tests/api/test_what_every_answer_keeps.py",
         "tests/api/test_refusals.py"),
        "",
    ),
}  # fmt: skip


def all_steps(logs: Path) -> list[Step]:
    of_ours = [
        of_tests("doors", name, what, nodes, logs, marked=marked)
        for name, (what, nodes, marked) in TESTS.items()
    ]
    audit = ("-m", "tests.prove.dependencies")
    return [*of_ours, Step("audit", audit, MINUTES + 1, advisories_told, "make audit")]


def advisories_told(step: Step, output: str, status: int) -> Iterator[Item]:
    """One line: what was read, or in capitals that nothing was, which is no pass."""
    last = output.strip().splitlines()[-1] if output.strip() else f"status {status}"
    figure = NOT_ASKED if NOT_ASKED in last else last.removeprefix("dependencies: ")
    read = status == 0 and figure != NOT_ASKED
    yield Item("known faults in what we stand on", step.command, figure, "read, none unanswered", read)


if __name__ == "__main__":
    sys.exit(prove("doors", all_steps))
