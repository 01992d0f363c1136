"""The Calendar half of the Google simulator: a model in plain classes, and the service that puts it on the wire."""
