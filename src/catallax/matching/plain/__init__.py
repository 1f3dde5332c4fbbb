"""Plain graphs: one sweep in the order of all agents, its thresholds, and both at large sizes.

`ranked` chooses: the simple sweep (`kernels_sweep`, `kernels_thresholds`), which is the
reference, for small graphs; the same sweep, guided, for large ones (`guided`), in memory of
large pieces (`blocks`). `pairs` finds who trades with whom. `many` clears many markets in one pass.
"""
