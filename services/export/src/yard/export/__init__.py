"""Annotations and data sets written in exchange formats."""
