"""What every test of the suite gets: nothing is left behind, and a line in the summary where figures are due."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest_plugins = ["leftovers"]

SUMMARY = "rankzero summary"


@pytest.fixture
def summary(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """A function that adds a line to the summary printed at the end, from a worker of xdist too."""

    def add(line: str) -> None:
        record_property(SUMMARY, line)

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, value in report.user_properties
        if name == SUMMARY
    ]
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.line(str(line))
