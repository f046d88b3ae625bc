"""Pages for people: flag, worklist, publication index and the analyst's report of one flag."""
