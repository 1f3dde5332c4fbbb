"""Outcomes, lotteries and many markets as tables, pictures and files."""
