"""What CVAT has no word for."""
