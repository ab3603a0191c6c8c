"""The documents say what is: settings, commands, paths, targets and the diagram are held against the code."""

import json
import re
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

import click
import pytest

from ecm.bodies import BODY_BYTES_MAX
from ecm.cli import main
from ecm.importing.text import MAX_FILE_BYTES
from ecm.settings import PREFIX, Settings
from ecm.throttle import OF_PAIR
from ecm.visit.diagram import diagram
from ingest.limits import ARRAY_BYTES_MAX, ARRAY_ITEMS_MAX, EVENT_BYTES_MAX, EVENTS_PER_S
from tests.house.repository import ROOT

README, ARCHITECTURE, CHANGELOG, MAKEFILE = (
    (ROOT / name).read_text("utf-8") for name in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "Makefile")
)
TELEPHONE = (ROOT / "docs" / "TELEPHONE.md").read_text("utf-8")
DOCUMENTS = {
    "README.md": README,
    "ARCHITECTURE.md": ARCHITECTURE,
    "CHANGELOG.md": CHANGELOG,
    "docs/TELEPHONE.md": TELEPHONE,
}


def settings_table() -> str:
    rows = ["| Variable | Default | Meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        rows.append(f"| `{PREFIX}{name.upper()}` | {_shown(field.default)} | {field.description} |")
    return "\n".join(rows)


def _shown(default: object) -> str:
    if default is None:
        return "–"
    if isinstance(default, list):
        networks = [str(each) for each in default if isinstance(each, IPv4Network | IPv6Network)]
        return f"`{json.dumps(networks)}`"
    return f"`{json.dumps(default) if isinstance(default, bool) else default}`"


def test_the_settings_table_is_the_settings() -> None:
    """Mend it with `python -m tests.house.test_documents`."""
    assert settings_table() in README


def test_the_limits_in_the_readme_are_the_limits() -> None:
    said = " ".join(README.split())
    for limit in (
        f"A body has {BODY_BYTES_MAX >> 10} KiB at most",
        f"a check event {EVENT_BYTES_MAX >> 10} KiB",
        f"an array of them {ARRAY_BYTES_MAX >> 20} MiB and {ARRAY_ITEMS_MAX} items",
        f"an import (CSV or JSON) {MAX_FILE_BYTES >> 20} MiB",
        f"a key sends {EVENTS_PER_S:,.0f} events a second",
    ):
        assert limit in said
    assert (OF_PAIR.free, OF_PAIR.longest_s) == (5, 60), "README: five wrong tries, a minute at most"


def test_every_command_is_in_the_readme() -> None:
    missing = [words for words in _commands(main, "ecm") if not re.search(rf"`{words}[ `]", README)]
    assert missing == []


def test_every_command_in_the_readme_is_one() -> None:
    """And so is each of its options."""
    context = click.Context(main)
    for line in re.findall(
        r"(?:^|\s|\()(ecm [a-z][^|`#\n]*)", "\n".join(_blocks(README) + _blocks(TELEPHONE))
    ):
        first, second = [*line.split()[1:3], ""][:2]
        command = main.get_command(context, first)
        assert command is not None, line
        if isinstance(command, click.Group):
            inner = command.get_command(context, second)
            command = inner or (command if command.invoke_without_command else None)
            assert command is not None, line
        known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
        assert set(re.findall(r"--[a-z-]+", line)) <= known, line


def _commands(group: click.Group, words: str) -> list[str]:
    found = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = _commands(command, f"{words} {name}") if isinstance(command, click.Group) else []
        found += inner or [f"{words} {name}"]
    return found


def _blocks(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)


def test_every_make_target_in_the_documents_is_one_and_the_other_way_round() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    said = {name for text in DOCUMENTS.values() for name in re.findall(r"[`\n(]make ([a-z-]+)", text)}
    assert said <= targets
    assert targets - said == set(), "the README names every target"


def test_what_a_make_target_runs_is_there() -> None:
    for module in re.findall(r"python -m (tests\.[\w.]+)", MAKEFILE):
        path = ROOT / Path(*module.split("."))
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_the_diagram_is_drawn_from_the_table() -> None:
    """Mend it with `python -m ecm.visit.diagram`."""
    (drawn,) = re.findall(r"^```mermaid\n(stateDiagram.*?)^```", ARCHITECTURE, re.M | re.S)
    assert drawn == diagram()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_a_document_names_is_there(name: str) -> None:
    text = DOCUMENTS[name]
    folders = r"(?:ecm|ingest|alerts|geo|tests|\.ci)"
    named = set(re.findall(rf"`({folders}/[\w./-]*\w/?)`", text))
    named |= set(re.findall(r"\]\(([\w./-]+)(?:#[\w-]*)?\)", text))
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_the_road_names_its_files_in_the_order_they_run() -> None:
    """The path of one check-in: a numbered list, and each number names a file."""
    section = ARCHITECTURE.split("## The road of one check-in", 1)[1].split("\n## ", 1)[0]
    steps = re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |\Z)", section, re.M | re.S)
    assert [int(number) for number, _ in steps] == list(range(1, len(steps) + 1))
    assert len(steps) >= 10
    assert all(re.search(r"`[\w/]+\.\w+`", text) for _, text in steps)


def test_every_package_is_on_the_map() -> None:
    packages = {"geo", "ingest", "alerts"} | {
        f"ecm.{path.name}" for path in (ROOT / "ecm").iterdir() if (path / "__init__.py").exists()
    }
    section = ARCHITECTURE.split("## Where things live", 1)[1].split("\n## ", 1)[0]
    assert sorted(name for name in packages if name not in section) == []


if __name__ == "__main__":
    print(settings_table())
