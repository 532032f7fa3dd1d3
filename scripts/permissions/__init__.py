"""Least privilege: the roles allow what the service does, and nothing else."""
