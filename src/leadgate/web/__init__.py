"""HTTP: what people and programs reach. Pages, the API, the webhook door and the chat on a salon's own page."""
