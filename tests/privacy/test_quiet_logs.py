"""A log says what broke and where; the row that broke it stays in the database."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator

import asyncpg
import pytest

from ecm.errors import NotFound
from ecm.quiet_logs import FORMAT, QuietFormatter, said_of
from ecm.store.embedded import Addresses

CANARY = "Wilhelmina Canary"


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger, and what its file would hold."""
    file = io.StringIO()
    handler = logging.StreamHandler(file)
    handler.setFormatter(QuietFormatter(FORMAT))
    logger = logging.getLogger("ecm.tests")
    logger.addHandler(handler)
    yield logger, file
    logger.removeHandler(handler)


async def refused(database: Addresses) -> None:
    connection = await asyncpg.connect(database.owner)
    try:
        for _ in range(2):
            await connection.execute(
                "INSERT INTO accounts (tenant_id, email, name, role, password_hash)"
                f" VALUES (1, 'canary@example.org', '{CANARY}', 'auditor', 'x')"
            )
    finally:
        await connection.close()


async def test_a_database_repeats_the_row_and_the_log_does_not(
    database: Addresses, log: tuple[logging.Logger, io.StringIO]
) -> None:
    logger, file = log
    with pytest.raises(asyncpg.UniqueViolationError) as error:
        await refused(database)
    assert "canary@example.org" in str(error.value), "or this shows nothing"
    logger.error("could not be stored", exc_info=error.value)
    logger.warning("could not be stored: %s", error.value)
    told = file.getvalue()
    assert "canary" not in told.lower()
    assert told.count("UniqueViolationError (sqlstate 23505, table_name accounts, constraint_name") == 2
    assert "test_quiet_logs.py" in told
    assert "in refused" in told


def test_causes_and_groups_are_told_by_their_kinds(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, file = log
    try:
        try:
            int(CANARY)
        except ValueError as error:
            raise ExceptionGroup(CANARY, [KeyError(CANARY), NotFound("There is no visit 7.")]) from error
    except ExceptionGroup:
        logger.exception("a step failed")
    told = file.getvalue()
    assert CANARY not in told
    assert told.index("ValueError") < told.index("which was the cause of") < told.index("ExceptionGroup")
    assert "KeyError" in told
    assert "ecm.errors.NotFound: There is no visit 7." in told, "our own words are ours to say"


def test_a_task_that_nobody_awaited_is_told_without_its_exception(
    log: tuple[logging.Logger, io.StringIO],
) -> None:
    _, file = log
    handler = logging.StreamHandler(file)
    handler.setFormatter(QuietFormatter(FORMAT))
    of_the_loop = logging.getLogger("asyncio")
    of_the_loop.addHandler(handler)
    loop = asyncio.new_event_loop()
    try:
        loop.call_exception_handler(
            {"message": "Task exception was never retrieved", "exception": ValueError(CANARY), "task": CANARY}
        )
    finally:
        loop.close()
        of_the_loop.removeHandler(handler)
    assert "never retrieved" in file.getvalue()
    assert CANARY not in file.getvalue()


def test_a_record_is_left_as_it_is_for_whoever_reads_it_next() -> None:
    error = ValueError(CANARY)
    record = logging.LogRecord(
        "ecm", logging.ERROR, __file__, 1, "no: %s", (error,), (ValueError, error, None)
    )
    assert CANARY not in QuietFormatter(FORMAT).format(record)
    assert CANARY in logging.Formatter(FORMAT).format(record)


def test_an_operating_systems_error_says_what_it_was_without_the_file() -> None:
    assert said_of(FileNotFoundError(2, "No such file or directory", CANARY)) == (
        "FileNotFoundError: No such file or directory"
    )


def test_what_somebody_sent_begins_no_line_of_its_own(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, file = log
    forged = "/x\n2026-11-21T09:00:00.000Z INFO ecm: all is well\x1b[2K\u2028\r"
    logger.warning("%s: %s", forged, NotFound(forged))
    logger.error("a step failed", exc_info=NotFound(forged))
    lines = file.getvalue().splitlines()
    assert len(lines) == 3, "two entries, and the error's own line"
    assert not any(line.startswith("2026-11-21T09") for line in lines)
    assert all(line.isprintable() for line in lines)
    assert r"\n2026-11-21T09:00:00.000Z INFO ecm: all is well\x1b[2K\u2028\r" in lines[0], (
        "and nothing is lost"
    )


def test_times_are_utc_and_say_so() -> None:
    record = logging.LogRecord("ecm", logging.INFO, __file__, 1, "began", (), None)
    record.created = record.msecs = 0
    assert QuietFormatter(FORMAT).format(record) == "1970-01-01T00:00:00.000Z INFO ecm: began"
