"""Is it any good? Figures with intervals, beside the simplest things anybody could do."""
