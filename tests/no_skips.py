"""A skipped test has shown nothing. At a desk it is said aloud; in CI (`CI=true`) it fails, with its reason.

A plugin that `tests/conftest.py` names. It turns the reports where the test ran, so it works in xdist's processes too.
"""

import os
from collections.abc import Generator

import pytest
from _pytest.terminal import TerminalReporter

IN_CI = bool(os.environ.get("CI"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):  # an expected failure did run
        fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole module may skip itself."""
    report = yield
    if IN_CI and report.skipped:
        fail(report)
    return report


def fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    _where, _line, reason = report.longrepr if isinstance(report.longrepr, tuple) else ("", 0, "no reason")
    report.outcome = "failed"
    report.longrepr = f"CI skips nothing. {reason}"


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    skipped = len(terminalreporter.stats.get("skipped", ()))
    if skipped:
        were = "test was" if skipped == 1 else "tests were"
        terminalreporter.write_line(
            f"{skipped} {were} skipped and showed nothing (in CI each fails); the reasons are above.",
            yellow=True,
        )
