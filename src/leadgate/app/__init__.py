"""The composition root: settings, registry and storage become one App. The only place that knows which parts are real."""

from leadgate.app.app import App, open_app
from leadgate.app.initialise import Initialised, initialise, is_unfinished

__all__ = ["App", "Initialised", "initialise", "is_unfinished", "open_app"]
