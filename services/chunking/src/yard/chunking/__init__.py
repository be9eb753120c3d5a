"""Chunks, frames and previews of indexed media."""
