"""`python -m coursemill` is the command line."""

from coursemill.faces.cli import main

main()
