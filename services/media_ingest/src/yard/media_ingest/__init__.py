"""Uploads, shares and indexed media."""
