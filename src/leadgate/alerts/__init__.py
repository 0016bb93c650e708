"""Alarms: what is wrong, since when, who is told and when it is over. Decisions are pure; `watch` joins them."""
