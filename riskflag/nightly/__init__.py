"""The night: from the history to one publication of explained flags."""
