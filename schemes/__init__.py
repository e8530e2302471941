"""The scheme language: grading systems as data, compiled to SQL, and explained."""
