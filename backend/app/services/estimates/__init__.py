"""What a job will take, before it starts, and what to do if that is too much."""
