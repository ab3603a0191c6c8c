"""What `make audit` makes of advisories: read and unanswered fails, unread is said aloud, an answer has an end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.prove.dependencies import IGNORED, NOT_ASKED, Answered, answers_in, judged, main

TODAY = date(2026, 11, 22)
FAULT = {
    "id": "PYSEC-2026-1",
    "aliases": ["GHSA-made-up-0001"],
    "fix_versions": ["2.0"],
    "description": "Made up.",
}
REPORT = {
    "dependencies": [
        {"name": "sound", "version": "1.0", "vulns": []},
        {"name": "faulty", "version": "1.9", "vulns": [FAULT]},
    ]
}
REASON = "the parser it is about is never given a stranger's text"


def test_an_advisory_nobody_answered_is_named_with_its_mending() -> None:
    found = judged(REPORT, [], TODAY)
    assert (found.packages, found.answered) == (2, 0)
    assert found.unanswered == ("faulty 1.9: PYSEC-2026-1, mended in 2.0",)


@pytest.mark.parametrize("name", ["PYSEC-2026-1", "GHSA-made-up-0001"])
def test_an_answer_holds_by_any_name_until_its_last_day(name: str) -> None:
    answer = Answered(name, REASON, TODAY)
    assert judged(REPORT, [answer], TODAY).unanswered == ()
    [late] = judged(REPORT, [answer], date(2026, 11, 23)).unanswered
    assert late.endswith("its answer ran out on 2026-11-22")


@pytest.mark.parametrize(
    "row",
    [
        'reason = "the parser is never given it"\nuntil = 2027-01-01',
        'id = "X"\nuntil = 2027-01-01',
        'id = "X"\nreason = "later"\nuntil = 2027-01-01',
        'id = "X"\nreason = "the parser is never given it"',
        'id = "X"\nreason = "the parser is never given it"\nuntil = "soon"',
    ],
)
def test_an_answer_without_a_reason_or_an_end_is_none(row: str) -> None:
    with pytest.raises(ValueError, match="an answer has"):
        answers_in(f"[[ignored]]\n{row}")


def test_our_own_answers_can_be_read() -> None:
    answers_in(IGNORED.read_text("utf-8"))


class Advisories(BaseHTTPRequestHandler):
    """OSV's shape, about one made-up package."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        vulns: list[dict[str, Any]] = []
        if asked["package"]["name"] == "faulty":
            ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}]
            package = {"name": "faulty", "ecosystem": "PyPI"}
            affected = [{"package": package, "ranges": ranges, "versions": ["1.9"]}]
            vulns = [{"id": "PYSEC-2026-1", "summary": "Made up.", "affected": affected}]
        body = json.dumps({"vulns": vulns} if vulns else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def advisories() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Advisories)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_tool_itself_asks_and_is_believed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pinned, ignored = tmp_path / "pinned.txt", tmp_path / "ignored.toml"
    pinned.write_text("faulty==1.9\nsound==1.0\n")
    ignored.write_text("")
    with advisories() as url:
        asked = ["--pinned", str(pinned), "--ignored", str(ignored), "--osv-url", url]
        assert main(asked) == 1
        assert "faulty 1.9: PYSEC-2026-1" in capsys.readouterr().out
        ignored.write_text(f'[[ignored]]\nid = "PYSEC-2026-1"\nreason = "{REASON}"\nuntil = 2999-01-01\n')
        assert main(asked) == 0
        assert "0 advisories unanswered, 1 answered" in capsys.readouterr().out
    assert main(asked) == 0, "not being able to ask is no fault of the code's"
    assert NOT_ASKED in capsys.readouterr().out
