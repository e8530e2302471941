"""One run's life: whether it is needed, its key, opening it, what it knows."""
