"""PostgreSQL without installing PostgreSQL: one server kept in one folder, shared by whoever opens that
folder.

Read in this order: `binaries` finds the programs, `account` settles whose name they run under, `cluster`
makes the folder, `postmaster` tells a living server from what a dead one left behind, `supervisor` starts,
shares, watches and stops it. The usual way in is `async with running(folder) as addresses`.

POSIX only (flock, Unix sockets): import it only where the embedded server is really wanted.
"""

from ecm.store.embedded.account import barred_at
from ecm.store.embedded.binaries import Binaries, binaries_in, find_binaries
from ecm.store.embedded.cluster import Addresses
from ecm.store.embedded.errors import EmbeddedPostgresError
from ecm.store.embedded.supervisor import EmbeddedPostgres, running

__all__ = [
    "Addresses",
    "Binaries",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "barred_at",
    "binaries_in",
    "find_binaries",
    "running",
]
