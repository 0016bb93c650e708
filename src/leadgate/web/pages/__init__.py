"""The pages, one file each. A module here offers `PAGE` (see `leadgate.web.sheet.WebPage`) and is found by that."""
