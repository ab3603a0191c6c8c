"""`python -m tests.prove.capture` (`make prove-capture`): every way to say "I am here", ending with one table.

`--only R16` runs one step. The telephones are real ones: sipp and baresip ring the SIP door with spoken prompts and
keyed digits.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.prove.steps import Step, of_tests, prove

TELEPHONE = "tests/ingest/telephone"
APP = "tests/web/app"

# name: what it shows, the tests, and the marker that narrows them ("" for none).
TESTS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "R22": ("eight hours offline, twenty records, killed, evicted: none lost", (f"{APP}/test_offline.py",), ""),
    "app": ("the app in a real browser, every screen, four languages", (APP,), ""),
    "phones": (
        "phones enrolled, signing, shared, cut off; what they report",
        ("tests/ingest/test_phones.py", "tests/api/test_phones.py", "tests/api/test_reports.py",
         "tests/alerts/test_said.py"),
        "",
    ),
    "tags": (
        "secure tags by the published vectors; codes by RFC 6238; printed sheets",
        ("tests/test_ntag424.py", "tests/ingest/test_phones.py", "tests/web/test_tags_page.py"),
        "",
    ),
    "R16": (
        "the telephone: bad signatures, a hundred replays, hang-ups, 500 at once, guessing",
        (f"{TELEPHONE}/test_gateway.py", f"{TELEPHONE}/test_guessing.py", f"{TELEPHONE}/test_telephone.py"),
        "",
    ),
    "interview": (
        "the interview's table and words; signature and TwiML agree with the gateway's own library",
        (f"{TELEPHONE}/test_interview.py", f"{TELEPHONE}/test_prompts.py",
         f"{TELEPHONE}/test_signature_and_twiml.py", f"{TELEPHONE}/test_unanswered.py",
         f"{TELEPHONE}/test_ringing_back.py"),
        "",
    ),
    "texts": ("IN and OUT by text", (f"{TELEPHONE}/test_texts.py",), ""),
    "sip": (
        "real SIP telephones: sipp's 200 at ten a second, baresip once, packets lost and out of order",
        (f"{TELEPHONE}/test_sip_door.py", f"{TELEPHONE}/test_sip_keys.py", f"{TELEPHONE}/test_sip_phones.py",
         f"{TELEPHONE}/test_sip_trouble.py", f"{TELEPHONE}/test_sip_voice.py"),
        "slow or not slow",
    ),
    "feeds": ("another system's visits in both dialects", ("tests/ingest/feeds",), ""),
    "desk": ("entries by hand", ("tests/ingest/test_desk.py",), ""),
    "evidence": (
        "each kind of evidence as an officer reads it; a worker's sheet",
        ("tests/web/test_visit_page.py", "tests/web/test_care_worker_page.py", "tests/visit/test_proof.py",
         "tests/visit/test_patterns.py"),
        "",
    ),
}  # fmt: skip


def all_steps(logs: Path) -> list[Step]:
    return [
        of_tests("capture", name, what, nodes, logs, marked=marked)
        for name, (what, nodes, marked) in TESTS.items()
    ]


if __name__ == "__main__":
    sys.exit(prove("capture", all_steps))
