"""A vault of Markdown notes goes in; an auto-graded Jupyter course comes out."""

__version__ = "0.1.0"
