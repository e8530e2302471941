"""What each command does: one module a command; `cli` reads their arguments."""
