"""What people and nights leave behind: publications, flags, reviews and the audit chain."""
