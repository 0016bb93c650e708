"""`/api/v1`: what the pages and commands do, for programs. One file per resource in `resources/`, found by its `ENDPOINTS`."""
