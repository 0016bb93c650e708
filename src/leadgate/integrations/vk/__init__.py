"""VK community messages over the Callback API: one community of the salon."""
