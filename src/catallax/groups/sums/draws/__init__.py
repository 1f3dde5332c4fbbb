"""One draw, with a vote: its law as atoms and polynomials on cells, its transform, its bounds."""
