"""What no file here may hold: a machine's own paths, a registry's address, somebody's real telephone number,
a note to oneself. And what every file is: short, unless it says why not."""

import ast
import re

import pytest

from tests.house.repository import ROOT, kept_files, texts


def spelled(*parts: str) -> str:
    """Words this file must find elsewhere and may not hold itself."""
    return "".join(parts)


REGISTRIES = [
    spelled("py", "pi.org"),
    spelled("files.python", "hosted"),
    spelled("registry.", "npmjs"),
    spelled("docker", ".io"),
    spelled("gh", "cr.io"),
    spelled("qu", "ay.io"),
    spelled("crates", ".io"),
    spelled("proxy.golang", ".org"),
]
MACHINE_PATHS = [
    spelled("/wo", "rk/"),
    spelled("/ro", "ot/"),
    spelled("/ho", "me/"),
    spelled("/Us", "ers/"),
    spelled("C:", "\\Users"),
]
LEFT_BEHIND = [
    spelled("TO", "DO:"),
    spelled("FIX", "ME"),
    spelled("XX", "X"),
    spelled("HA", "CK"),
    spelled("<<<", "<<<<"),
    spelled(">>>", ">>>>"),
]
# Whose work this is said to be is nobody's business here.
OTHERS = [
    spelled("cla", "ude"),
    spelled("anth", "ropic"),
    spelled("open", "ai"),
    spelled("chat", "gpt"),
    spelled("copi", "lot"),
]

LONG_LINES = 450
LONGER = {
    "ecm/store/migrations/0001_the_road.sql": "the schema, read downward; later changes are files of their own",
    "ARCHITECTURE.md": "an hour's read",
    "constraints.txt": "a list",
}
CODE = (".py", ".sql", ".js", ".css", ".html", ".md", ".sh", ".toml", ".yml")

# Ofcom keeps these for drama: they ring nobody.
DRAMA = re.compile(
    r"44(7700900\d{3}|1632960\d{3}|113496\d{4}|114496\d{4}|115496\d{4}|116496\d{4}|117496\d{4}|118496\d{4}"
    r"|121496\d{4}|131496\d{4}|141496\d{4}|151496\d{4}|161496\d{4}|2079460\d{3}|1914980\d{3}|289649\d{4}"
    r"|2920180\d{3}|8081570\d{3}|9098790\d{3}|3069990\d{3})"
)
NUMBER = re.compile(r"(?<![\w.+-])(?:\+44 ?\(?0?\)?|0)(?=[1237])\d{2,5}[ ]?\d{3,4}[ ]?\d{3,4}(?![\w-])")


@pytest.mark.parametrize(
    "words", [REGISTRIES, MACHINE_PATHS, LEFT_BEHIND, OTHERS], ids=lambda words: words[0]
)
def test_no_file_holds(words: list[str]) -> None:
    looked = re.compile("|".join(re.escape(word) for word in words), re.I if words is OTHERS else 0)
    found = [
        f"{path}:{text.count(chr(10), 0, hit.start()) + 1}: {hit.group()}"
        for path, text in texts()
        for hit in looked.finditer(text)
    ]
    assert found == []


def test_every_telephone_number_is_one_that_rings_nobody() -> None:
    found = []
    for path, text in texts():
        if path.endswith((".py", ".md", ".csv", ".json", ".js", ".html")):
            for hit in NUMBER.finditer(text):
                digits = re.sub(r"\D", "", hit.group())
                digits = digits if digits.startswith("44") else f"44{digits.removeprefix('0')}"
                if len(digits) in (12, 11) and not DRAMA.fullmatch(digits.replace("440", "44", 1)):
                    found.append(f"{path}: {hit.group()}")
    assert found == []


def test_long_files_say_why() -> None:
    lengths = {path: text.count("\n") for path, text in texts() if path.endswith(CODE)}
    long = {path for path, lines in lengths.items() if lines > LONG_LINES}
    assert sorted(long - LONGER.keys()) == [], f"over {LONG_LINES} lines: divide it, or say here why not"
    assert sorted(path for path in LONGER if path not in lengths and not (ROOT / path).exists()) == []


def test_nobody_is_named_after_half_a_word() -> None:
    """`call` is a visit to some and a telephone to others; visit and phone_call are the words."""
    found = []
    for file in kept_files():
        if file.suffix == ".py":
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                name = (
                    node.name
                    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                    else node.id
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
                    else node.arg
                    if isinstance(node, ast.arg)
                    else ""
                )
                if re.fullmatch("_?calls?", name, re.I):
                    found.append(f"{file.relative_to(ROOT)}:{node.lineno}: {name}")
    assert found == []


def test_what_is_pinned_is_a_version_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    odd = [line for line in lines if not re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[\w.!+]+", line)]
    assert odd == []


def test_everything_asked_for_is_pinned() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = {_plain(re.split(r"[^\w.-]", wanted)[0]) for wanted in asked}
    pinned = {_plain(line.split("==")[0]) for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert sorted(names - pinned) == []


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
