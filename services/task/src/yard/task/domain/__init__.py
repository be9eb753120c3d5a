"""What projects, tasks, jobs and annotations are; pure."""
