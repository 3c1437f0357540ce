"""Jinja2 templates and the HTML that is built in Python."""
