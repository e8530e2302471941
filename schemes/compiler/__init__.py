"""From what a scheme says to the SQL that grades by it."""
