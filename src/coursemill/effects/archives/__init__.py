"""Archives that anyone may have made: listed and read within quotas, and nothing of them written by name."""
