"""Layer 1: functions of their arguments alone; no file, process or clock."""
