"""Named queries in `.sql` files, each file beside its only caller.

A block begins with `-- name: insert_events role: ecm_ingest`; a comment saying its intent follows, then one
statement. The role is the one that runs it: a test PREPAREs every block of every file under its role.
"""

from __future__ import annotations

import re
from importlib.resources import files

_HEAD = re.compile(r"^-- name: (?P<name>\w+) role: (?P<role>\w+)\s*$", re.MULTILINE)


class Queries:
    """The statements of one file, as attributes."""

    def __init__(self, where: str, blocks: dict[str, tuple[str, str]]) -> None:
        self._where = where
        self.roles = {name: role for name, (role, _) in blocks.items()}
        self._sql = {name: statement for name, (_, statement) in blocks.items()}

    def __getattr__(self, name: str) -> str:
        try:
            return self._sql[name]
        except KeyError:
            raise AttributeError(f"{self._where} has no query named {name}") from None


def load_queries(package: str, file_name: str) -> Queries:
    """Reads a package's `.sql` file. ValueError for a file that names a query twice or none at all."""
    return parse_queries(f"{package}/{file_name}", files(package).joinpath(file_name).read_text("utf-8"))


def parse_queries(where: str, text: str) -> Queries:
    heads = list(_HEAD.finditer(text))
    blocks: dict[str, tuple[str, str]] = {}
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        statement = text[head.end() : following.start() if following else len(text)].strip().rstrip(";")
        if head["name"] in blocks:
            raise ValueError(f"{where} names {head['name']} twice")
        blocks[head["name"]] = (head["role"], statement)
    if not blocks:
        raise ValueError(f"{where} names no query")
    return Queries(where, blocks)
