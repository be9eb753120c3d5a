"""Annotations of tasks, kept in git repositories."""
