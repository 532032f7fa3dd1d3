"""The page of the kinds of account."""
