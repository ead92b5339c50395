"""Stands in for decision forests, which the converter imports so that their operations are known."""
