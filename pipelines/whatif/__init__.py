"""What `fenji plan` answers: who would move if schemes said something else."""
