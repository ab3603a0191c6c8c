"""`python -m tests.prove.dependencies` (`make audit`): known faults in what we stand on, as OSV's advisories have them.

    status  means
    0       every advisory was read, and each is answered (`audit-ignored.toml`: why, and until when) or there is none;
            or nobody could be asked: then it says so in capitals, and nothing is known
    1       an advisory was read and nobody has answered it, or an answer has run out

Not being able to ask is no failure of the code's, and no pass either: what counts passes reads the line it prints.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PINNED = ROOT / "constraints.txt"
IGNORED = ROOT / "audit-ignored.toml"
NOT_ASKED = "NOT ASKED"
MINUTES = 5
SENTENCE = 20  # characters: a reason is one at least


@dataclass(frozen=True, slots=True)
class Answered:
    """An advisory that somebody read, why it does not matter here, and the last day of that."""

    id: str
    reason: str
    until: date


@dataclass(frozen=True, slots=True)
class Advisory:
    package: str
    version: str
    id: str
    aliases: tuple[str, ...]
    mended_in: tuple[str, ...]

    def __str__(self) -> str:
        mended = f", mended in {', '.join(self.mended_in)}" if self.mended_in else ", not mended yet"
        return f"{self.package} {self.version}: {self.id}{mended}"


@dataclass(frozen=True, slots=True)
class Judged:
    packages: int
    unanswered: tuple[str, ...]
    answered: int


def answers_in(text: str) -> list[Answered]:
    """Raises ValueError for an answer without a reason or an end."""
    found = []
    for row in tomllib.loads(text).get("ignored", []):
        answer = Answered(row.get("id", ""), row.get("reason", ""), row.get("until"))
        if not answer.id or len(answer.reason) < SENTENCE or type(answer.until) is not date:
            raise ValueError(f"an answer has an id, a reason and a date: {row}")
        found.append(answer)
    return found


def judged(report: Any, answers: Sequence[Answered], today: date) -> Judged:
    """What pip-audit reports, held against the answers that still stand."""
    by_id = {answer.id: answer for answer in answers}
    unanswered, answered = [], 0
    for advisory in _advisories(report):
        answer = next((by_id[one] for one in (advisory.id, *advisory.aliases) if one in by_id), None)
        if answer is None:
            unanswered.append(str(advisory))
        elif answer.until < today:
            unanswered.append(f"{advisory}; its answer ran out on {answer.until}")
        else:
            answered += 1
    return Judged(len(report["dependencies"]), tuple(unanswered), answered)


def _advisories(report: Any) -> Iterator[Advisory]:
    for package in report["dependencies"]:
        for fault in package.get("vulns", []):
            yield Advisory(
                package["name"],
                package.get("version", "?"),
                fault["id"],
                tuple(fault.get("aliases", [])),
                tuple(fault.get("fix_versions", [])),
            )


def report_of(pinned: Path, service: Sequence[str]) -> Any:
    """pip-audit's report; the reason, as text, when nobody could be asked. No package is fetched for it."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(pinned), "--no-deps", "--disable-pip"]
    command += ["--vulnerability-service", "osv", "--format", "json", "--progress-spinner", "off", *service]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=60 * MINUTES, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer within {MINUTES} minutes"
    try:
        return json.loads(asked.stdout)
    except ValueError:
        said = [line for line in asked.stderr.splitlines() if line.strip()]
        return said[-1] if said else f"pip-audit ended with status {asked.returncode}"


def main(arguments: Sequence[str] | None = None) -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.prove.dependencies")
    asked.add_argument("--pinned", type=Path, default=PINNED)
    asked.add_argument("--ignored", type=Path, default=IGNORED)
    asked.add_argument("--osv-url", help="another service of advisories than OSV's own")
    options = asked.parse_args(arguments)
    answers = answers_in(options.ignored.read_text("utf-8"))
    report = report_of(options.pinned, ["--osv-url", options.osv_url] if options.osv_url else [])
    if isinstance(report, str):
        print(f"dependencies: {NOT_ASKED}. No advisory was read, so nothing is known. {report[:300]}")
        return 0
    found = judged(report, answers, datetime.now(UTC).date())
    for line in found.unanswered:
        print(f"  {line}")
    print(
        f"dependencies: {found.packages} packages, {len(found.unanswered)} advisories unanswered,"
        f" {found.answered} answered"
    )
    return 1 if found.unanswered else 0


if __name__ == "__main__":
    sys.exit(main())
