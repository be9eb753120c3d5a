"""Probing, indexing, decoding, encoding and packing of media: pure and synchronous."""
