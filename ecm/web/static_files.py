"""What the pages load and are made of, and the version that stands in every address of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

HERE = Path(__file__).parent
STATIC = HERE / "static"


def _version_of(*folders: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(file for folder in folders for file in folder.rglob("*")):
        if file.is_file():
            digest.update(str(file.relative_to(HERE)).encode() + file.read_bytes())
    return digest.hexdigest()[:12]


VERSION = _version_of(STATIC, HERE / "templates")
TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape(), undefined=StrictUndefined
)
