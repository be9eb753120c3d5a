"""The use cases of export."""
