"""What is asked of task and export."""
