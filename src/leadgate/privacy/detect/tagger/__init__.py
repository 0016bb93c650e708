"""People, addresses and health, which are written in words: found by weights that `scripts/train_tagger` learned."""

from leadgate.privacy.detect.tagger.find import find_worded, warm_up

__all__ = ["find_worded", "warm_up"]
