"""The live board: what everyone on duty sees, as it changes. Reads, and never writes a visit."""

from ecm.board.hub import Hub
from ecm.board.live import MESSAGE_BYTES_MAX, router
from ecm.board.wire import BoardProtocol

__all__ = ["MESSAGE_BYTES_MAX", "BoardProtocol", "Hub", "router"]
