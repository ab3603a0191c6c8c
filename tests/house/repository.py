"""The repository as its tests see it: the files somebody keeps, and every named query."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ecm.store.queries import parse_queries

ROOT = Path(__file__).parents[2]
PACKAGES = ("ecm", "ingest", "alerts", "geo")

NOT_QUERIES = {
    "ecm/store/migrations": "each file is a transaction of many statements; tests/store/test_migrate.py runs them",
    "ecm/importing/staging.sql": "temporary tables, made before each import; without them nothing there prepares",
}
"""`.sql` files without named queries, and why."""


@dataclass(frozen=True, slots=True)
class Query:
    file: str
    name: str
    role: str
    sql: str

    def __str__(self) -> str:
        return f"{self.file}:{self.name}"


def kept_files() -> list[Path]:
    """Every file under version control and every new one that is not ignored, as it stands on disk."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = listed.stdout.decode().split("\0")
    return sorted({ROOT / name for name in names if name and (ROOT / name).is_file()})


def texts() -> Iterator[tuple[str, str]]:
    """(path from the root, text) of every kept file that is text."""
    for file in kept_files():
        try:
            yield str(file.relative_to(ROOT)), file.read_text("utf-8")
        except UnicodeDecodeError:
            continue


def sql_files() -> list[str]:
    """Those that hold named queries."""
    found = [str(file.relative_to(ROOT)) for package in PACKAGES for file in (ROOT / package).rglob("*.sql")]
    return sorted(file for file in found if not file.startswith(tuple(NOT_QUERIES)))


def queries() -> list[Query]:
    return [
        Query(file, name, role, getattr(parsed, name))
        for file in sql_files()
        for parsed in [parse_queries(file, (ROOT / file).read_text("utf-8"))]
        for name, role in parsed.roles.items()
    ]


def query(file: str, name: str) -> Query:
    """KeyError-like: StopIteration when there is none, as a renamed query must be noticed here."""
    return next(found for found in queries() if (found.file, found.name) == (file, name))
