"""Whose name the server runs under. PostgreSQL refuses root, so root lends it an account that already
exists."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from ecm.store.embedded.errors import BarredError, ForeignDataError, NoAccountError

ACCOUNTS_ROOT_MAY_LEND = ("postgres", "nobody")


class SpawnAs(TypedDict, total=False):
    """Keyword arguments of `subprocess.Popen`."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """`lent`: we are root and this is someone else."""

    name: str
    uid: int
    gid: int
    lent: bool

    @property
    def spawn(self) -> SpawnAs:
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.lent else {}


def server_account(pgdata: Path) -> Account:
    """The account for the server of `pgdata`, which need not exist yet.

    Raises ForeignDataError when the folder is another user's, NoAccountError when root finds nobody to lend.
    """
    owner_uid = pgdata.stat().st_uid if pgdata.exists() else None
    if os.geteuid() != 0:
        if owner_uid not in (None, os.geteuid()):
            raise ForeignDataError(path=pgdata, owner=_name_of(owner_uid))
        return Account(_name_of(os.geteuid()), os.geteuid(), os.getegid(), lent=False)
    if owner_uid:
        return Account(_name_of(owner_uid), owner_uid, pgdata.stat().st_gid, lent=True)
    for name in ACCOUNTS_ROOT_MAY_LEND:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid, lent=True)
    raise NoAccountError(wanted=" or ".join(ACCOUNTS_ROOT_MAY_LEND))


def barred_at(path: Path) -> Path | None:
    """The first existing folder on the way to (and including) `path` that the server's account may not pass.

    None when the way is free: always so for an ordinary user, who runs the server under their own name.
    """
    return _barrier(path, server_account(path / "postgres"))


def require_way(path: Path, account: Account) -> None:
    """Raises BarredError, naming the folder in the way."""
    barrier = _barrier(path, account)
    if barrier:
        raise BarredError(user=account.name, barrier=barrier, path=path)


def make_folder(folder: Path, account: Account) -> None:
    """Makes `folder` and what is missing above it. Folders made here may be passed by the account, but not
    listed.

    A folder that existed before is opened only if it is empty or holds our own things; nobody else's is
    touched.
    """
    missing = [step for step in (folder, *folder.parents) if not step.exists()]
    for step in reversed(missing):
        step.mkdir()
        step.chmod(0o711 if account.lent else 0o700)
    ours = not any(folder.iterdir()) or (folder / "locks").exists()
    if account.lent and ours and not _may_pass(folder, account):
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | 0o001)
    require_way(folder, account)


def _barrier(path: Path, account: Account) -> Path | None:
    if not account.lent:
        return None
    absolute = path.resolve()
    way = [step for step in reversed((absolute, *absolute.parents)) if step.is_dir()]
    return next((step for step in way if not _may_pass(step, account)), None)


def _may_pass(folder: Path, account: Account) -> bool:
    facts = folder.stat()
    if facts.st_uid == account.uid:
        return bool(facts.st_mode & stat.S_IXUSR)
    if facts.st_gid == account.gid:
        return bool(facts.st_mode & stat.S_IXGRP)
    return bool(facts.st_mode & stat.S_IXOTH)


def _name_of(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid or 0).pw_name
    except KeyError:  # containers often run as a number without a name
        return str(uid)
