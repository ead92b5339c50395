"""Layer 2: one outside thing a module: disk, processes, nbgrader, papermill."""
