"""Rank Zero: the parts of the course that a reader should not have to think about."""

__version__ = "0.1.0"
