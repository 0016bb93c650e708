"""From received event to new state and deliveries, in one transaction: joins dialogue, crm and delivery."""
