"""Layer 3: one function a verb; values in, values out."""
