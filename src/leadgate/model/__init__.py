"""The words of the trade as frozen dataclasses and enums; standard library only, no input or output."""
