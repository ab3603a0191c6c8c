from pathlib import Path

from tests.longest_first import LONGEST


def test_what_begins_first_is_there() -> None:
    """A file that was renamed would wait its turn again, and nobody would notice."""
    assert [name for name in LONGEST if not Path(__file__).parent.parent.joinpath(name).is_file()] == []
