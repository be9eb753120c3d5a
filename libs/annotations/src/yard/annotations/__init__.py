"""Geometry, interpolation, merge and validation of annotations: pure."""
