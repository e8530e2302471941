"""What a scheme file says: its model, its expressions, metrics, tags; no SQL yet."""
