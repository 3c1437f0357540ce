"""Texts that would become markup, or placeholders of a format, if they were not escaped."""

HOSTILE_TEXTS = [
    '"><script>x</script>',
    "a&b",
    "it's",
    '"quoted"',
    "%(map)s",
    "{0}",
    "100%",
    "<b>",
    "&amp;",
]
