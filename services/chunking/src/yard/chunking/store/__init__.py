"""All SQL of chunking."""
