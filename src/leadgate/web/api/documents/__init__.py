"""Things as JSON, in one shape for the API and for the commands' `--json`; the OpenAPI document is made from the same types."""
