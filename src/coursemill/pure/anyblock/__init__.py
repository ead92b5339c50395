"""AnyBlock's blocks: a line `[mode|…|#Title]` above a list, a quote, a fence or a table, as Jupyter shows them."""
