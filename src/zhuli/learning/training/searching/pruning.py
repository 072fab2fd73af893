"""How a search tells the loop to leave off: raised by what the loop reports its evaluations to. Imports nothing heavy."""


class Pruned(Exception):
    """Another trial is better already, or the time is over; what was reported so far counts."""
