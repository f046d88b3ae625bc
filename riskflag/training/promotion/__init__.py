"""From a recorded run to a bundle through the gates, and the governance pack."""
