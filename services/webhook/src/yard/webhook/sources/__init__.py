"""What is asked of the task service."""
