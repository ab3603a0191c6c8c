"""Whether a server that is away is away because its disk is full.

PostgreSQL without room for its next WAL segment stops, and whoever knocks hears only that nobody is there. Of a
server of our own (`ecm.store.embedded`) we can tell: its socket stands in its data folder, beside `DIR/postgres`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

WAL_SEGMENT_BYTES = 16 * 1024 * 1024


def short_of_room(dsn: str) -> bool:
    """False also where it cannot be told: another machine's server, or a socket put elsewhere for its path's length."""
    host = parse_qs(urlsplit(dsn).query).get("host", [""])[0]
    pgdata = Path(host).parent / "postgres"
    try:
        return (pgdata / "PG_VERSION").exists() and shutil.disk_usage(pgdata).free < WAL_SEGMENT_BYTES
    except OSError:
        return False
