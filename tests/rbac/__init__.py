"""Least privilege: with exactly the rights of the roles all is done, and with any one less it is not."""
