"""The rows of the matrix, a file a feature."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from tests.doors.row import Row


@cache
def rows() -> dict[str, list[Row]]:
    """Every row by its operation: one operation may be asked in more ways than one."""
    found: dict[str, list[Row]] = {}
    for module in pkgutil.iter_modules(__path__):
        for row in import_module(f"{__name__}.{module.name}").ROWS:
            found.setdefault(row.operation, []).append(row)
    return found
