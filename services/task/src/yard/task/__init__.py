"""Projects, labels, tasks, jobs and annotations."""
