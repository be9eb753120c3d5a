"""Uploads, shares and remote sources turned into indexed media."""
