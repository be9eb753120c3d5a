"""Zips: written from front to back in bounded memory, and opened without being trusted."""
