"""docs/ASVS.md is whole and names what exists: every requirement of levels 1 and 2 once, each proof findable."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.house.repository import ROOT

# The numbers of OWASP ASVS 5.0.0 at levels 1 and 2: section, then "level:numbers". Its text is OWASP's and not here.
NUMBERS = """
V1.1 2:1-2        V1.2 1:1-5 2:6-9   V1.3 1:1-2 2:3-11   V1.4 2:1-3        V1.5 1:1 2:2
V2.1 1:1 2:2-3    V2.2 1:1-2 2:3     V2.3 1:1 2:2-4      V2.4 2:1
V3.2 1:1-2        V3.3 1:1 2:2-4     V3.4 1:1-2 2:3-6    V3.5 1:1-3 2:4-5  V3.7 2:1-2
V4.1 1:1 2:2-3    V4.2 2:1           V4.3 2:1-2          V4.4 1:1 2:2-4
V5.1 2:1          V5.2 1:1-2 2:3     V5.3 1:1-2          V5.4 2:1-3
V6.1 1:1 2:2-3    V6.2 1:1-8 2:9-12  V6.3 1:1-2 2:3-4    V6.4 1:1-2 2:3-4  V6.5 2:1-5  V6.6 2:1-3  V6.8 2:1-4
V7.1 2:1-3        V7.2 1:1-4         V7.3 2:1-2          V7.4 1:1-2 2:3-5  V7.5 2:1-2  V7.6 2:1-2
V8.1 1:1 2:2      V8.2 1:1-2 2:3     V8.3 1:1            V8.4 2:1
V9.1 1:1-3        V9.2 1:1 2:2-4
V10.1 2:1-2       V10.2 2:1-2        V10.3 2:1-4         V10.4 1:1-5 2:6-11
V10.5 2:1-5       V10.6 2:1-2        V10.7 2:1-3
V11.1 2:1-2       V11.2 2:1-3        V11.3 1:1-2 2:3     V11.4 1:1 2:2-4   V11.5 2:1  V11.6 2:1
V12.1 1:1 2:2-3   V12.2 1:1-2        V12.3 2:1-4
V13.1 2:1         V13.2 2:1-5        V13.3 2:1-2         V13.4 1:1 2:2-5
V14.1 2:1-2       V14.2 1:1 2:2-4    V14.3 1:1 2:2-3
V15.1 1:1 2:2-3   V15.2 1:1 2:2-3    V15.3 1:1 2:2-7
V16.1 2:1         V16.2 2:1-5        V16.3 2:1-4         V16.4 2:1-3       V16.5 2:1-3
V17.1 2:1         V17.2 2:1-4        V17.3 2:1-2
"""

VERDICTS = {"met", "partly", "not met", "operator", "not here"}
ROW = re.compile(
    r"^\| (?P<number>V\d+\.\d+\.\d+(?:–\d+)?) \| (?P<level>[12](?:–2)?) \| (?P<verdict>[a-z ]+) \| (?P<how>[^|]+) \|"
    r" (?P<proofs>[^|]*)\|$"
)
PROOF = re.compile(r"`([^`]+)`")

PAGE = (ROOT / "docs" / "ASVS.md").read_text("utf-8")
ROWS = [match for line in PAGE.splitlines() if line.startswith("| V") and (match := ROW.match(line))]


def asked() -> dict[str, str]:
    """Level by number, of the standard."""
    found: dict[str, str] = {}
    for section, parts in re.findall(r"(V\d+\.\d+)((?: [12]:[\d-]+)+)", NUMBERS):
        for level, numbers in re.findall(r"([12]):([\d-]+)", parts):
            found |= {f"{section}.{n}": level for n in _span(numbers)}
    return found


def answered() -> Iterator[tuple[str, str]]:
    for row in ROWS:
        section, numbers = row["number"].rsplit(".", 1)
        yield from ((f"{section}.{n}", row["level"]) for n in _span(numbers.replace("–", "-")))


def _span(numbers: str) -> range:
    first, _, last = numbers.partition("-")
    return range(int(first), int(last or first) + 1)


def test_the_standard_has_253_requirements_of_levels_1_and_2() -> None:
    assert Counter(asked().values()) == {"1": 70, "2": 183}


def test_every_line_of_the_page_is_read() -> None:
    assert len(ROWS) == sum(line.startswith("| V") for line in PAGE.splitlines())


def test_each_requirement_is_answered_once_and_at_its_level() -> None:
    given = list(answered())
    assert [number for number, times in Counter(number for number, _ in given).items() if times > 1] == []
    assert {number for number, _ in given} == set(asked())
    assert [number for number, level in given if asked()[number] not in level] == []


def test_a_verdict_is_one_of_five_and_what_is_met_is_met_by_something() -> None:
    for row in ROWS:
        assert row["verdict"] in VERDICTS, row["number"]
        if row["verdict"] in ("met", "partly"):
            assert PROOF.search(row["proofs"]), f"{row['number']} names nothing that meets it"
        assert len(row["how"].strip()) > 5, row["number"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["number"])
def test_what_is_named_exists(row: re.Match[str]) -> None:
    for proof in PROOF.findall(row["proofs"]):
        path, _, name = proof.partition("::")
        assert (ROOT / path).exists(), proof
        if name:
            text = (ROOT / path).read_text("utf-8")
            assert re.search(rf"(def |class |^){re.escape(name)}\b", text, re.M), proof
