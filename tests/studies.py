"""Texts of studies for tests of more than one room."""

ONE_CELL = """
[study]
name = "one cell"
samples = 20
seeds = [1]
mechanisms = ["gsom"]

[[priors]]
name = "flat"
buyers = "uniform(0, 1)"
sellers = "uniform(0, 1)"

[[markets]]
graph = "sparse-random"
sizes = [2]
degree = 1
"""
