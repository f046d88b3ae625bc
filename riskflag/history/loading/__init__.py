"""From delivered files to the history: adapted, compared, accounted for row by row."""
