"""Figures of merit, their intervals, and the one plain form in which findings are kept."""
