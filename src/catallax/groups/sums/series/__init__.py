"""Sums by series: of Fourier on a window or along the line, of Vaaler where nothing is smooth."""
