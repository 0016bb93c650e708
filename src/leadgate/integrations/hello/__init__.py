"""A complete, tiny channel that exists to be copied; see docs/howto/add-a-channel.md."""
