"""What an analyst looks at before trusting a history, in counts only."""
