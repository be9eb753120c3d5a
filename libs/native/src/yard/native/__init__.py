"""Loops over the bits of media, in C."""
