"""Raw notes: what their code blocks are, what is damaged or out of date in them, and how they become lessons."""
