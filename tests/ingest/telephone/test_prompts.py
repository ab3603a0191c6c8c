"""Every prompt in every language, with the same values; and times and names as people say them."""

from __future__ import annotations

import re
import string
from inspect import getsource

import pytest

from ingest.telephone import interview, texts, webhook
from ingest.telephone.interview import GATHERS, TABLE, Say
from ingest.telephone.prompts import TABLES, pieces, spoken, vocabulary, written
from ingest.telephone.turn import LANGUAGES, Caller

BRACES = re.compile(r"\{(\w+)\}")
EXAMPLES = {"person": "Mrs A", "time": "09:02", "digits": "4831"}


def said_somewhere() -> set[str]:
    """Every key that the interview, the webhook and the texts can say."""
    found = {key for rows in TABLE.values() for row in rows.values() for key in row.says}
    found |= {f"caller_{caller.value}" for caller in Caller if caller is not Caller.HOME}
    found |= {f"checked_{way}{where}" for way in ("in", "out") for where in ("", "_somewhere")}
    found |= {f"sms_{way}{where}" for way in ("in", "out") for where in ("", "_somewhere")}
    found |= {f"ask_{state.value}" for state in GATHERS} - {"ask_welcome", "ask_person"}
    for module in (interview, texts, webhook):
        found |= set(re.findall(r'Say\(\s*"(\w+)"', getsource(module)))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_each_prompt_with_the_same_values(language: str) -> None:
    english, ours = TABLES["en"].TEXTS, TABLES[language].TEXTS
    assert list(ours) == list(english)
    for key in english:
        assert sorted(BRACES.findall(ours[key])) == sorted(BRACES.findall(english[key])), key
        assert set(BRACES.findall(ours[key])) <= EXAMPLES.keys(), key


def test_every_prompt_is_said_and_every_said_one_is_there() -> None:
    assert said_somewhere() == TABLES["en"].TEXTS.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_is_said_is_made_of_pieces_that_can_be_recorded_beforehand(language: str) -> None:
    known = vocabulary(language)
    assert len(known) < 250
    for key in TABLES[language].TEXTS:
        for hour in range(24):
            values = EXAMPLES | {
                "time": f"{hour:02}:{hour * 2:02}",
                "person": f"Mr {string.ascii_uppercase[hour]}",
            }
            assert set(pieces(language, Say(key, values))) <= known, key


@pytest.mark.parametrize(
    ("language", "time", "said"),
    [
        ("en", "09:02", "nine oh two in the morning"),
        ("en", "12:00", "twelve o'clock in the afternoon"),
        ("en", "00:30", "twelve thirty at night"),
        ("en", "21:45", "nine forty five in the evening"),
        ("cy", "09:02", "naw dim dau y bore"),
        ("cy", "13:30", "un tri deg y prynhawn"),
        ("pl", "09:02", "dziewiąta zero dwa"),
        ("pl", "21:30", "dwudziesta pierwsza trzydzieści"),
        ("ro", "09:02", "nouă și două minute"),
        ("ro", "14:30", "paisprezece și treizeci de minute"),
        ("ro", "08:21", "opt și douăzeci și una de minute"),
    ],
)
def test_times_are_said_as_people_say_them(language: str, time: str, said: str) -> None:
    assert said in spoken(language, Say("checked_in", {"person": "Mrs A", "time": time}))


def test_every_minute_of_the_day_is_said_in_its_own_way() -> None:
    for table in TABLES.values():
        times = {table.clock(hour, minute) for hour in range(24) for minute in range(60)}
        assert len(times) == 24 * 60


def test_a_whole_name_is_never_said() -> None:
    assert spoken("en", Say("checked_in", {"person": "Mrs A", "time": "09:02"})) == (
        "You are at Mrs A. It is nine oh two in the morning. You are checked in."
    )
    assert "pani A" in spoken("pl", Say("checked_in", {"person": "Mrs A", "time": "09:02"}))
    assert written("en", Say("sms_in", {"person": "Mrs A", "time": "09:02"})) == "Checked in at Mrs A, 09:02."


def test_a_text_message_fits_in_one_or_two() -> None:
    for language in LANGUAGES:
        for key in TABLES[language].TEXTS:
            if key.startswith("sms_"):
                assert len(written(language, Say(key, EXAMPLES))) <= 134, (language, key)  # two of 67 letters
