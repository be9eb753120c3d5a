"""Whole tasks and projects in one archive: what it holds, and where."""
