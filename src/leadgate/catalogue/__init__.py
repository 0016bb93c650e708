"""Every text that clients and staff read, Russian first, English second; files `*.ru.json` and `*.en.json`."""
