"""The pages: a frame rendered here, everything that moves in our own ES modules. Nothing comes from elsewhere."""

from ecm.web.pages import install

__all__ = ["install"]
