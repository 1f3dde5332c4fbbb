"""From columns of ids to positions: agents with their priors, edges, and many markets at once."""
