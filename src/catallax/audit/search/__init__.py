"""What an audit looks at: profiles, deviations that can matter, and expectations over values."""
