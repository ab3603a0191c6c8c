"""Step two of the road: from stored evidence to a visit's true state.

Claim to-dos, load everything that could matter, decide in memory, write in one statement, commit. What a visit
is gets worked out from scratch from all its evidence each time, so order and duplicates cannot matter.
`Processor` is driven by what arrives; `ecm.overdue` joins with visits whose deadline passed.
"""

from ecm.processing.processor import Processor
from ecm.processing.reassess import StaleVersion, reassess

__all__ = ["Processor", "StaleVersion", "reassess"]
