"""A test that was skipped has shown nothing, and CI may not pass on it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.repository import ROOT

STORY = """
import pytest

def test_that_runs():
    pass

@pytest.fixture
def browser():
    pytest.skip("no browser on this machine")

def test_of_a_page(browser):
    pass

@pytest.mark.skipif(True, reason="no curl on this machine")
def test_of_a_command():
    pass

@pytest.mark.xfail(reason="not written yet", strict=True)
def test_expected_to_fail():
    assert False
"""
MODULE = 'import pytest\n\npytest.skip("no server on this machine", allow_module_level=True)\n'


def run(folder: Path, *options: str, ci: str) -> tuple[int, str]:
    (folder / "test_story.py").write_text(STORY)
    (folder / "test_module.py").write_text(MODULE)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.no_skips", "-ra", "-c", os.devnull, "--rootdir", folder, folder,
         *options],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | ({"CI": ci} if ci else {}),
        cwd=folder,
        text=True,
        capture_output=True,
        timeout=180,
        check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.parametrize("processes", ["0", "2"])
def test_in_ci_a_skip_fails_with_its_reason(tmp_path: Path, processes: str) -> None:
    status, said = run(tmp_path, "-n", processes, "--continue-on-collection-errors", ci="true")
    assert status == 1, said
    for reason in ("no browser", "no curl", "no server"):
        assert f"CI skips nothing. Skipped: {reason} on this machine" in said
    assert "skipped" not in said.splitlines()[-1]
    assert "1 passed, 1 xfailed" in said


@pytest.mark.parametrize("processes", ["0", "2"])
def test_at_a_desk_a_skip_stays_one_and_is_said(tmp_path: Path, processes: str) -> None:
    status, said = run(tmp_path, "-n", processes, ci="")
    assert status == 0, said
    assert "3 tests were skipped and showed nothing" in said
    for reason in ("no browser", "no curl", "no server"):
        assert f"{reason} on this machine" in said
