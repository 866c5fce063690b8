"""Small programs that hold the repository to its own rules. Each runs as `python -m checks.<name>`."""
