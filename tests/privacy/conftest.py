"""The cast of the API's stories, and the desk of processing's."""

from tests.api.conftest import story
from tests.processing.conftest import desk

__all__ = ["desk", "story"]
