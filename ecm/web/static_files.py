"""What the pages load and are made of, and the version that stands in every address of it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"

IMPORTED = re.compile(r'^import (?:.* from )?"(\./.+|\.\./.+)";$', re.MULTILINE)


def _version_of(*folders: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(file for folder in folders for file in folder.rglob("*")):
        if file.is_file():
            digest.update(str(file.relative_to(HERE)).encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def modules_of(entry: str) -> list[str]:
    """Every script a page's first one imports, itself among them: the browser then asks for all of them at once,
    not for each when it has read the one before."""
    found: list[str] = []
    waiting = [entry]
    while waiting:
        path = waiting.pop(0)
        if path not in found:
            found.append(path)
            beside = (STATIC / "js" / path).parent
            named = IMPORTED.findall((STATIC / "js" / path).read_text("utf-8"))
            waiting += [str((beside / name).resolve().relative_to(STATIC / "js")) for name in named]
    return found


VERSION = _version_of(STATIC, HERE / "templates")
TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    auto_reload=False,
)
TEMPLATES.globals["modules"] = {
    main.parent.name: modules_of(f"{main.parent.name}/main.js") for main in STATIC.glob("js/*/main.js")
}
for (
    _name
) in TEMPLATES.list_templates():  # read now: pages must stand when the disk or its file handles do not
    TEMPLATES.get_template(_name)
