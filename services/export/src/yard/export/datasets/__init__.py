"""What is exported: tasks with their frames and objects, spooled as they came, read picture by picture."""
