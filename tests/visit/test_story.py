"""The storyteller itself: a story that says the wrong thing is told off."""

import pytest

from tests.visit.story import tell


@pytest.mark.parametrize(
    "lie",
    [
        "09:15  tick  -> planned",
        "09:15  tick  -> late",
        "09:15  tick  -> late  !late, !missed",
        "09:00  in  -> in_progress",
        "09:00  in  -> in_progress  location_inside, short",
        "09:20  in  -> in_progress  location_inside, started_late, !late",
        "09:00  in at 400 m  -> in_progress  location_inside",
    ],
)
def test_a_story_that_is_not_so_is_refused(lie: str) -> None:
    with pytest.raises(AssertionError, match="but"):
        tell(lie)


@pytest.mark.parametrize("muddle", ["at nine she came", "09:00  dances  -> in_progress", ""])
def test_a_story_nobody_can_read_is_refused(muddle: str) -> None:
    with pytest.raises(AssertionError, match=r"story|happen"):
        tell(muddle)
