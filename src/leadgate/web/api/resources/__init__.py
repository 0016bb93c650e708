"""The resources, one file each. A module here offers `ENDPOINTS` (see `leadgate.web.api.endpoint`) and is found by that."""
