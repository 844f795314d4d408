"""Figures of the programme: what each one says, and how it is read from the stored data."""
