"""Repositories of tasks: what is valid, what is current, when a push is due, and what a commit says. Pure."""
