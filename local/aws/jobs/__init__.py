"""Processing and training jobs, monitoring schedules."""
