"""Published against predicted, with the errors that were accepted last: `python -m validation`."""
