"""The proof that nothing is lost and nothing doubled: real processes, real kills, books of its own. `make proof`.

No part of the product. It stands beside it and not among the tests because a sceptic runs it alone, for as long as he likes;
the tests call it too.
"""
